"""One run to one receiver: claim it, tell it what is due, write down what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from database.session import transaction
from services.webhooks.bodies import bodies_of
from services.webhooks.claims import claim
from services.webhooks.deliveries import due_in, record, waiting_deliveries
from workers.sending.telling import Sending, Telling

CLAIMED_SECONDS: Final = 1.0
"""When it is looked again at a receiver that another sender has."""


@dataclass(frozen=True)
class Run:
    """What came of it."""

    due_in: float | None
    """Seconds until the next one is due; None where nothing waits."""
    is_quick: bool | None = None
    """Whether the receiver answered well and soon at last; None where it was not asked."""


def deliver(engine: Engine, broker_id: int, sending: Sending, stopped: Callable[[], bool] = lambda: False) -> Run:
    """Send what is due to one broker's receiver. Raises what PostgreSQL raises: what was sent is sent again then.

    `stopped`: whether to begin nothing more.
    """
    with transaction(engine) as session:
        hook = claim(session, broker_id, sending.sender)
        if hook is None:
            return Run(CLAIMED_SECONDS)
        waiting = waiting_deliveries(session, hook)
        bodies = bodies_of(session, broker_id, waiting.all)
    telling = Telling(hook, sending, bodies, stopped)
    results = telling.send(waiting)
    with transaction(engine) as session:
        record(session, hook, sending.sender, results)
        left = due_in(session, hook)
    return Run(None if left is None else left.total_seconds(), telling.is_quick)
