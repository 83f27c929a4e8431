"""Who is calling: brokers and the administrator with their keys, people with access tokens."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import cast

from api.access.rights import ENOUGH, OF_BROKERS, OF_PEOPLE, OF_THE_EXCHANGE, ROLES_OF, Access, missing_scope
from api.components import components
from api.http.calls import present
from api.http.problems import AdminOnly, BrokerOnly, NotFound, PersonOnly, Unauthenticated
from api.runtime.callers import ANONYMOUS, Caller
from services.errors import BrokerSuspended, NoLongerValid
from services.identity.api_keys import KeyHolder, is_possible
from services.identity.errors import RoleMissing, ScopeMissing
from services.identity.people.session_holders import SessionHolder
from services.identity.people.tokens import is_possible_token
from services.identity.suspension import SUSPENDED
from serving.open_connections import network_of
from serving.present import charge_to

SCHEME = "bearer"


def require(access: Access) -> None:
    """Find out who calls, and whether he may.

    Raises Unauthenticated, KeyRevoked, KeyExpired, TokenExpired, SessionEnded and TooManyRequests; AddressNotAllowed,
    BrokerOnly, AdminOnly, PersonOnly, ScopeMissing and RoleMissing.
    """
    key = _credential_of_request()
    call = present()
    address = network_of(call.address)
    used = components()
    used.limits.refuse_guesser(address)
    caller = used.sessions.caller_of(key) if is_possible_token(key) else used.keys.caller_of(key)
    if caller is None:
        used.limits.note_failure(address)
        raise Unauthenticated("This API key or access token is not known.")
    if caller.key is not None and caller.key.is_limited:
        _refuse_limited(caller.key, address)
    charge_to(call.environ, caller.broker_id)
    call.caller = caller
    _refuse_other(access, caller)


def require_unless_public() -> None:
    """Where market data is public whoever gives no key is anonymous, and a wrong one is refused; else as `require`."""
    call = present()
    if components().settings.web.public_market_data and "HTTP_AUTHORIZATION" not in call.environ:
        call.caller = ANONYMOUS
    else:
        require(Access.MARKET)


def _refuse_limited(holder: KeyHolder, network: str) -> None:
    try:
        holder.refuse_ended(datetime.now(UTC))
    except NoLongerValid:
        components().limits.note_failure(network)
        raise
    holder.refuse_elsewhere(present().address)


def _refuse_other(access: Access, caller: Caller) -> None:
    if caller.session is not None:
        roles = ROLES_OF[access]
        if caller.session.role not in roles:
            raise RoleMissing(f"This is for the role {' or '.join(roles)}.", role=roles[0])
    elif access in OF_PEOPLE:
        raise PersonOnly
    elif caller.broker_id is None:
        if access in OF_BROKERS:
            raise BrokerOnly
    elif access in OF_THE_EXCHANGE:
        raise AdminOnly
    elif caller.scopes not in ENOUGH[access]:
        scope = missing_scope(access, caller.scopes)
        raise ScopeMissing(f"This API key lacks the scope {scope}.", scope=scope)


def _credential_of_request() -> str:
    header: str = present().environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, key = header.partition(" ")
    key = key.strip()
    if scheme.lower() != SCHEME or not (is_possible(key) or is_possible_token(key)):
        raise Unauthenticated
    return key


def require_debug() -> None:
    """Raises NotFound where debugging is off, to everybody alike; else as for an administrator."""
    if not components().settings.exchange.debug:
        raise NotFound
    require(Access.DEBUG)


def caller() -> Caller:
    """The broker, person or administrator who sent the present request."""
    return cast(Caller, present().caller)


def person() -> SessionHolder:
    """The person who sent the present request; only where access is for people."""
    return cast(SessionHolder, caller().session)


def who() -> str:
    """Who sent the present request and from where, for the log."""
    found = caller()
    name = "the administrator" if found.broker_id is None else f"broker {found.broker_id}"
    if found.session is not None:
        name = f"{found.session.role} {found.session.username}"
    return f"{name} at {present().address}"


def broker_id() -> int:
    """The broker that sent the present request; only where access is for brokers."""
    return cast(int, caller().broker_id)


def refuse_suspended() -> None:
    """Raises BrokerSuspended: reading and cancelling are still allowed.

    What is remembered may be late in allowing, never in refusing: a broker that was activated just now is let in.
    """
    if caller().status == SUSPENDED:
        credential = _credential_of_request()
        used = components()
        found = (used.keys if caller().session is None else used.sessions).caller_now(credential)
        if found is None:
            raise Unauthenticated
        present().caller = found
        if caller().status == SUSPENDED:
            raise BrokerSuspended


CHECKS: dict[Access, Callable[[], None]] = {
    **{access: partial(require, access) for access in Access},
    Access.ANYONE: lambda: None,
    Access.MARKET: require_unless_public,
    Access.DEBUG: require_debug,
}
