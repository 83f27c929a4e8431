"""Who one is, and where one is logged in."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from api.access.acts import act
from api.access.auth import caller, person, who
from api.access.passwords import hashed, person_with
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.people.people_schemas import MeSchema, NewPasswordSchema, SessionPageSchema
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import LARGEST, PageQuerySchema, page, position_in
from api.runtime.callers import Caller
from database.statements import Statements
from services.identity.errors import InvalidCredentials, WrongPassword
from services.identity.people.roles import ADMIN
from services.identity.people.sessions import end_session, end_sessions, read_sessions, refuse_foreign_session
from services.identity.people.users import set_password
from services.identity.scopes import SCOPES

log = logging.getLogger(__name__)

blueprint = Resource("me", __name__, url_prefix="/api/v1", description="Oneself, and one's sessions.")


@blueprint.open_to(Access.KEY, "/me")
@blueprint.response(200, MeSchema)
def get_me() -> Answer:
    """Who one is: a person, or the owner of a key"""
    return answer(document_of(caller()))


@blueprint.open_to(Access.PERSON, "/me/password", "PUT")
@blueprint.arguments(NewPasswordSchema)
@blueprint.response(204)
def change_password(wanted: dict[str, str]) -> Answer:
    """Change one's password

    All other sessions end. Tries of the current password are guarded as log-ins are.
    """
    me, now = person(), datetime.now(UTC)
    try:
        person_with(me.username, wanted["current_password"])
    except InvalidCredentials as error:
        raise WrongPassword(field="current_password") from error
    secret = hashed(wanted["new_password"], me.username, lambda: None, "new_password")

    def work(session: Statements) -> None:
        set_password(session, me.user_id, secret)
        end_sessions(session, me.user_id, now, spared=me.session_id)
        act(session, "user.password", f"user:{me.user_id}")

    components().database.run(work)
    components().sessions.forget()
    log.info("the password was changed of %s", who())
    return Answer(204)


@blueprint.open_to(Access.PERSON, "/sessions")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, SessionPageSchema)
def list_sessions(query: dict[str, Any]) -> Answer:
    """List where one is logged in, newest first"""
    position = position_in(query["cursor"], 1)
    before = position[0] if position else LARGEST
    with components().database.reading() as session:
        sessions = read_sessions(session, person(), datetime.now(UTC), before, query["limit"] + 1)
    return page(sessions, query["limit"], lambda found: [found["session_id"]])


def _own_session(session_id: int) -> None:
    with components().database.looking() as session:
        refuse_foreign_session(session, person().user_id, session_id)


@blueprint.open_to(Access.PERSON, "/sessions/<session_id:session_id>", "DELETE", of=_own_session)
@blueprint.response(204)
def end_one_session(session_id: int) -> Answer:
    """End one of one's sessions

    Nobody gets in with its tokens from two seconds later on, and its sockets are closed.
    """
    user_id, now = person().user_id, datetime.now(UTC)
    components().database.run(lambda session: end_session(session, user_id, session_id, now))
    components().sessions.forget()
    log.info("session %d was ended by %s", session_id, who())
    return Answer(204)


@blueprint.open_to(Access.PERSON, "/sessions", "DELETE")
@blueprint.response(204)
def end_all_sessions() -> Answer:
    """End all of one's sessions, this one, too"""
    user_id, now = person().user_id, datetime.now(UTC)
    components().database.run(lambda session: end_sessions(session, user_id, now))
    components().sessions.forget()
    log.info("all sessions were ended by %s", who())
    return Answer(204)


def document_of(found: Caller) -> dict[str, Any]:
    """Who somebody is, as the API shows it."""
    session = found.session
    person: tuple[int | str | None, ...]
    if session is None:
        is_admin = found.broker_id is None
        person = (None, None, ADMIN if is_admin else None, found.broker_id, None if is_admin else found.name)
    else:
        person = (session.user_id, session.username, session.role, session.broker_id, session.broker_name)
    names = ("user_id", "username", "role", "broker_id", "broker_name")
    return {**dict(zip(names, person, strict=True)), "scopes": [scope for scope in SCOPES if scope in found.scopes]}
