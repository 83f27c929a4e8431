"""Wait, as long as the client likes, for how commands in the inbox end."""

from collections.abc import Callable
from typing import Any, TypeVar

from api.components import components
from api.http.preferences import Preferences, preferences
from api.runtime.waiting import wait_for
from database.statements import Statements
from queues.replies import Expected
from services.order_entry.command_result import CommandResult, command_result

Found = TypeVar("Found")

PREFER = {
    "in": "header",
    "name": "Prefer",
    "schema": {"type": "string"},
    "description": "`respond-async`: answer 202 at once; `wait=N`: after N seconds at the latest (RFC 7240).",
}


def result_of(command_id: int, reply: Expected) -> CommandResult | None:
    """The result of one command; None if it still waits in the inbox."""
    return awaited(lambda session: command_result(session, command_id), reply, CommandResult.told)


def awaited(
    question: Callable[[Statements], Found | None],
    reply: Expected,
    told: Callable[[Any], Found | None] = lambda became: None,
) -> Found | None:
    """The answer to `question` as soon as there is one; None if the client wants to wait no longer.

    It is the database's, where what the reply says, read by `told`, is none.
    """
    seconds = _patience(preferences())

    def look() -> Found | None:
        if (found := told(reply.became)) is not None:
            return found
        with components().database.reading_few() as session:
            return question(session)

    with components().waiting_room.seat() as seated:
        return wait_for(look, _is_there, seconds, reply) if seated and seconds else None


def _is_there(found: object) -> bool:
    return found is not None


def preference_applied(*, waited: bool) -> dict[str, str]:
    """The header that says which preference was followed (RFC 7240, section 3); `waited` if a result came in time."""
    wanted = preferences()
    if wanted.wait is not None and waited:
        return {"Preference-Applied": f"wait={min(wanted.wait, components().settings.web.max_wait_seconds)}"}
    if wanted.respond_async and not waited:
        return {"Preference-Applied": "respond-async"}
    return {}


def _patience(wanted: Preferences) -> float:
    """Seconds to wait for the book."""
    web = components().settings.web
    if wanted.wait is not None:
        return min(wanted.wait, web.max_wait_seconds)
    return 0 if wanted.respond_async else web.cancel_wait_ms / 1000
