"""Is the exchange up? For people, monitors and load balancers, without a key."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.operations.health_schemas import HealthSchema, ReadySchema, TimeSchema
from services.operations.health import is_ready
from services.timestamps import microseconds, timestamp

blueprint = Resource("health", __name__, url_prefix="/api/v1", description="Is the exchange up?")
at_root = Resource("health at the root", __name__, description="The same where load balancers look for it.")


def health() -> Answer:
    """Is the exchange up?

    `degraded` says what is wrong: orders are accepted all the same, and matched when it is mended. 503 when nothing can
    be stored.
    """
    found = components().health_probe.health()
    document = {
        "status": found.status,
        "missing": found.missing,
        "waiting": found.waiting,
        "suspended": found.suspended,
    }
    return answer(document, 503, {"Retry-After": "1"}) if found.status == "down" else answer(document)


def ready() -> Answer:
    """May this process be sent requests?"""
    with components().database.looking() as session:
        return answer({"ready": is_ready(session)})


@blueprint.open_to(Access.ANYONE, "/time")
@blueprint.response(200, TimeSchema)
def get_time() -> Answer:
    """The exchange's clock"""
    now = datetime.now(UTC)
    return answer({"time": timestamp(now), "microseconds": microseconds(now)})


def _open(resource: Resource, suffix: str = "") -> None:
    for rule in ("/health", "/healthcheck"):
        view = resource.response(200, HealthSchema)(health)
        view = resource.alt_response(503, schema=HealthSchema, description="PostgreSQL is away.")(view)
        resource.open_to(Access.ANYONE, rule)(_named(f"{rule[1:]}{suffix}", view))
    view = resource.response(200, ReadySchema)(ready)
    resource.open_to(Access.ANYONE, "/ready")(_named(f"ready{suffix}", view))


def _named(name: str, view: Callable[..., Any]) -> Callable[..., Any]:
    """`view` by a name that no other operation has."""
    view.__name__ = name
    return view


_open(blueprint)
_open(at_root, "_at_root")
