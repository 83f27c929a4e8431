"""Who is calling: API keys of brokers and the administrator's key."""

from collections.abc import Callable
from enum import Enum
from typing import cast

from api.components import components
from api.http.calls import present
from api.http.problems import AdminOnly, BrokerOnly, NotFound, Unauthenticated
from api.runtime.key_cache import Caller
from services.errors import BrokerSuspended
from services.identity.api_keys import is_possible
from services.identity.suspension import SUSPENDED
from serving.open_connections import network_of
from serving.present import charge_to

SCHEME = "bearer"


class Access(Enum):
    """Who may use a route."""

    ANYONE = "anyone"
    KEY = "anyone with a key"
    BROKER = "broker"
    OPERATOR = "operator"
    ADMIN = "admin"
    DEBUG = "admin, where debugging is switched on"


def require_key() -> None:
    """Find out who calls. Raises Unauthenticated, TooManyRequests."""
    key = _key_of_request()
    call = present()
    address = network_of(call.address)
    components().limits.refuse_guesser(address)
    caller = components().keys.caller_of(key)
    if caller is None:
        components().limits.note_failure(address)
        raise Unauthenticated("This API key is not known.")
    charge_to(call.environ, caller.broker_id)
    call.caller = caller


def _key_of_request() -> str:
    header: str = present().environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, key = header.partition(" ")
    key = key.strip()
    if scheme.lower() != SCHEME or not is_possible(key):
        raise Unauthenticated
    return key


def require_broker() -> None:
    """Raises Unauthenticated, BrokerOnly."""
    require_key()
    if caller().broker_id is None:
        raise BrokerOnly


def require_admin() -> None:
    """Raises Unauthenticated, AdminOnly."""
    require_key()
    if caller().broker_id is not None:
        raise AdminOnly


def require_debug() -> None:
    """Raises NotFound where debugging is off, to everybody alike; else as for an administrator."""
    if not components().settings.exchange.debug:
        raise NotFound
    require_admin()


def caller() -> Caller:
    """The broker or the administrator who sent the present request."""
    return cast(Caller, present().caller)


def who() -> str:
    """Who sent the present request and from where, for the log."""
    broker_id = caller().broker_id
    name = "the administrator" if broker_id is None else f"broker {broker_id}"
    return f"{name} at {present().address}"


def broker_id() -> int:
    """The broker that sent the present request; only where access is for brokers."""
    return cast(int, caller().broker_id)


def refuse_suspended() -> None:
    """Raises BrokerSuspended: reading and cancelling are still allowed.

    What is remembered may be late in allowing, never in refusing: a broker that was activated just now is let in.
    """
    if caller().status == SUSPENDED:
        found = components().keys.caller_now(_key_of_request())
        if found is None:
            raise Unauthenticated
        present().caller = found
        if caller().status == SUSPENDED:
            raise BrokerSuspended


CHECKS: dict[Access, Callable[[], None]] = {
    Access.ANYONE: lambda: None,
    Access.KEY: require_key,
    Access.BROKER: require_broker,
    Access.OPERATOR: require_admin,
    Access.ADMIN: require_admin,
    Access.DEBUG: require_debug,
}
