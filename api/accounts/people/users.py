"""People, as administrators let them in and keep them out."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from api.access.acts import act
from api.access.auth import who
from api.access.passwords import hashed
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.people.people_schemas import NewUserSchema, UserChangeSchema, UserPageSchema, UserSchema
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import LARGEST, PageQuerySchema, page, position_in
from api.http.problems import InvalidRequest
from services.identity.people.users import change_user, create_user, name_of, read_users, refuse_taken

log = logging.getLogger(__name__)

blueprint = Resource("users", __name__, url_prefix="/api/v1", description="People, for administrators.")


@blueprint.open_to(Access.ADMIN, "/users")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, UserPageSchema)
def list_users(query: dict[str, Any]) -> Answer:
    """List people, newest first"""
    position = position_in(query["cursor"], 1)
    before = position[0] if position else LARGEST
    with components().database.reading() as session:
        users = read_users(session, before, query["limit"] + 1)
    return page(users, query["limit"], lambda user: [user["user_id"]])


@blueprint.open_to(Access.ADMIN, "/users", "POST")
@blueprint.arguments(NewUserSchema)
@blueprint.response(201, UserSchema)
def let_in(wanted: dict[str, Any]) -> Answer:
    """Let a person in

    Several people may belong to one broker.
    """
    database, name = components().database, wanted["username"]

    def refuse() -> None:
        with database.looking() as session:
            refuse_taken(session, name)

    secret = hashed(wanted["password"], name, refuse)

    def work(session: Session) -> dict[str, Any]:
        made = create_user(session, name, secret, wanted["role"], wanted["broker_id"])
        act(session, "user.let_in", f"user:{made['user_id']}", after=made)
        return made

    made = database.run(work)
    log.info("user %d, %s %s, was let in by %s", made["user_id"], made["role"], name, who())
    return answer(made, 201)


def _name(user_id: int) -> str:
    with components().database.looking() as session:
        return name_of(session, user_id)


@blueprint.open_to(Access.ADMIN, "/users/<user_id:user_id>", "PUT")
@blueprint.arguments(UserChangeSchema, of=_name)
@blueprint.response(200, UserSchema)
def change(wanted: dict[str, Any], user_id: int) -> Answer:
    """Give a person another role, broker or password, or keep it out

    Holds everywhere within two seconds, also for what is connected.
    """
    if not wanted:
        raise InvalidRequest("Nothing is to be another way: give role, broker_id, active or password.")
    database, now = components().database, datetime.now(UTC)
    password = wanted.pop("password", None)
    if password is not None:
        wanted["password_hash"] = hashed(password, _name(user_id), lambda: None)
    said = ", ".join(sorted(wanted)).replace("password_hash", "password")

    def work(session: Session) -> dict[str, Any]:
        before, after = change_user(session, user_id, wanted, now)
        act(session, "user.change", f"user:{user_id}", before=before, after={**after, "changed": said})
        return after

    changed = database.run(work)
    components().sessions.forget()
    log.warning("user %d, %s, has another %s by %s", user_id, changed["username"], said, who())
    return answer(changed)
