"""People come in: they sign up, log in, go on being logged in, and log out."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from api.access.acts import origin_of_person
from api.access.cookies import REFRESH, cookies_with, no_cookies, refresh_token_of_request
from api.access.passwords import hashed, person_with, refuse_until
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.people.me import document_of
from api.accounts.people.people_schemas import CredentialsSchema, SignedUpSchema, SignUpSchema, TokensSchema
from api.components import components
from api.http.answers import Answer, answer
from api.http.calls import present
from api.http.problems import SignUpClosed
from api.runtime.callers import Caller
from database.statements import Statements
from services.identity.audit_log import audit
from services.identity.errors import LogInsClosed
from services.identity.people.session_holders import SessionHolder, sessions_of
from services.identity.people.sessions import Client, end_with, open_session, refresh_session
from services.identity.people.sign_up import sign_up as make_person
from services.identity.people.tokens import RefreshToken, new_csrf
from services.identity.people.users import refuse_taken
from serving.open_connections import network_of
from settings.sections import Identity

log = logging.getLogger(__name__)

blueprint = Resource("people", __name__, url_prefix="/api/v1", description="Signing up, logging in and out.")

WITH_COOKIE: list[dict[str, Any]] = [
    {
        "in": "cookie",
        "name": REFRESH,
        "required": True,
        "schema": {"type": "string"},
        "description": "The refresh token.",
    },
    {
        "in": "header",
        "name": "X-CSRF-Token",
        "required": True,
        "schema": {"type": "string"},
        "description": "The `csrf_token` that came with the cookie; the cookie minex_csrf has it, too.",
    },
]


@blueprint.open_to(Access.ANYONE, "/signup", "POST")
@blueprint.arguments(SignUpSchema)
@blueprint.response(201, SignedUpSchema)
def sign_up(wanted: dict[str, Any]) -> Answer:
    """Sign up

    Makes a person, and a broker of the same name with paper money to trade with. Where the exchange lets nobody in by
    himself this is refused with `sign_up_closed`.
    """
    used, address = components(), network_of(present().address)
    rules, bound = used.settings.identity, used.log_in_guard.sign_ups
    if not rules.signup:
        raise SignUpClosed
    refuse_until(0 if bound.count(address) else bound.seconds_to_wait(address))
    name = wanted["username"]

    def refuse() -> None:
        with used.database.looking() as session:
            refuse_taken(session, name)

    secret = hashed(wanted["password"], name, refuse)
    with used.database.writing() as session:
        person = make_person(session, name, secret, cash=rules.signup_cash, positions=_given(rules))
        origin = origin_of_person(person["user_id"], name)
        audit(session, origin, "user.sign_up", f"user:{person['user_id']}", after=person)
    log.info("%s signed up from %s as user %d", name, present().address, person["user_id"])
    return answer({field: person[field] for field in ("user_id", "username", "role", "broker_id")}, 201)


@blueprint.open_to(Access.ANYONE, "/token", "POST")
@blueprint.arguments(CredentialsSchema)
@blueprint.response(200, TokensSchema)
def log_in(credentials: dict[str, Any]) -> Answer:
    """Log in

    The access token goes into `Authorization: Bearer …`, and is good for a quarter of an hour. The refresh token comes
    in the cookie `minex_refresh`, which only /token/refresh and /logout read. Whoever fails too often has to wait:
    429 with Retry-After.
    """
    _refuse_closed()
    person = person_with(credentials["username"].lower(), credentials["password"])
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=components().settings.identity.session_days)
    token_id = uuid.uuid4()

    def work(session: Statements) -> SessionHolder:
        session_id = open_session(session, person.user_id, token_id, _client(), now, expires_at)
        return sessions_of(session, [session_id])[session_id]

    holder = components().database.run(work)
    log.info("user %d logged in from %s: session %d", person.user_id, present().address, holder.session_id)
    return _tokens(holder, RefreshToken(holder.session_id, token_id, new_csrf()), now)


@blueprint.open_to(Access.ANYONE, "/token/refresh", "POST")
@blueprint.doc(parameters=WITH_COOKIE)
@blueprint.response(200, TokensSchema)
def refresh() -> Answer:
    """Go on being logged in

    Takes the cookie `minex_refresh` and the header X-CSRF-Token, and gives a new pair. Each refresh token is good once:
    one that comes a second time ends its whole session (`refresh_reused`), for it may have been stolen.
    """
    _refuse_closed()
    token, now, following = refresh_token_of_request(), datetime.now(UTC), uuid.uuid4()

    def work(session: Statements) -> tuple[Exception | None, SessionHolder | None]:
        found = refresh_session(session, token.session_id, token.token_id, following, _client(), now)
        return found.refusal, sessions_of(session, [token.session_id]).get(token.session_id)

    refusal, holder = components().database.run(work)
    if refusal is not None or holder is None:
        components().sessions.forget()
        log.warning("session %d was not refreshed from %s: %s", token.session_id, present().address, refusal)
        raise refusal or LookupError(token.session_id)
    return _tokens(holder, RefreshToken(token.session_id, following, new_csrf()), now)


@blueprint.open_to(Access.ANYONE, "/logout", "POST")
@blueprint.doc(parameters=WITH_COOKIE)
@blueprint.response(204)
def log_out() -> Answer:
    """Log out

    Takes the cookie `minex_refresh` and the header X-CSRF-Token; ends the session, and what was opened with it.
    """
    _refuse_closed()
    token, now = refresh_token_of_request(), datetime.now(UTC)
    refusal = components().database.run(lambda session: end_with(session, token.session_id, token.token_id, now))
    components().sessions.forget()
    if refusal is not None:
        raise refusal
    return Answer(204, cookies=no_cookies())


def _given(rules: Identity) -> dict[str, int]:
    """The shares that who signs up begins with, by symbol."""
    pairs = (position.split(":") for position in rules.signup_positions)
    return {symbol.upper(): int(shares) for symbol, shares in pairs}


def _tokens(holder: SessionHolder, token: RefreshToken, now: datetime) -> Answer:
    tokens = components().tokens
    body = {
        "access_token": tokens.access(holder.session_id, holder.user_id, now),
        "token_type": "Bearer",
        "expires_in": tokens.access_seconds,
        "csrf_token": token.csrf,
        "user": document_of(Caller.of_session(holder, components().settings.fees)),
    }
    return answer(body, cookies=cookies_with(token, now, holder.expires_at))


def _refuse_closed() -> None:
    if not components().tokens.can_sign:
        raise LogInsClosed


def _client() -> Client:
    call = present()
    agent = str(call.environ.get("HTTP_USER_AGENT", ""))
    return Client(call.address, "".join(filter(str.isprintable, agent)))
