"""A broker's own API keys."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from api.access.acts import act
from api.access.auth import broker_id, caller, refuse_suspended, who
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.key_schemas import KeyPageSchema, MadeKeySchema, NewKeySchema, RotationSchema
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import LARGEST, PageQuerySchema, page, position_in
from api.http.problems import InvalidRequest
from services.identity.own_keys import (
    Maker,
    make_key,
    read_keys,
    refuse_foreign_key,
    revoke_key,
    rotate_key,
    without_secret,
)
from services.identity.reach import Reach

log = logging.getLogger(__name__)

blueprint = Resource("API keys", __name__, url_prefix="/api/v1", description="One's own keys.")

KEY = "/api-keys/<key_id:key_id>"


@blueprint.open_to(Access.KEYS, "/api-keys", "POST")
@blueprint.arguments(NewKeySchema)
@blueprint.response(201, MadeKeySchema)
def make_api_key(wanted: dict[str, Any]) -> Answer:
    """Make a key

    It is shown in this answer and never again. A key makes none with more scopes, a later end or more addresses than
    its own; what is left out is as its own.
    """
    refuse_suspended()
    maker, now = _maker(), datetime.now(UTC)
    if wanted["expires_at"] is not None and wanted["expires_at"] <= now:
        raise InvalidRequest(errors={"expires_at": ["Must be in the future."]})
    own = _believed_reach()
    networks = wanted["allowed_addresses"]
    reach = Reach(
        frozenset(wanted["scopes"]),
        wanted["expires_at"] or own.expires_at,
        own.networks if networks is None else tuple(networks),
    )

    def work(session: Session) -> dict[str, Any]:
        made = make_key(session, maker, wanted["name"], reach, now)
        act(session, "key.make", f"key:{made['key_id']}", after=without_secret(made))
        return made

    made = components().database.run(work)
    log.info("key %s was made by %s", made["prefix"], who())
    return answer(made, 201)


@blueprint.open_to(Access.READ, "/api-keys")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, KeyPageSchema)
def list_api_keys(query: dict[str, Any]) -> Answer:
    """List one's keys, newest first, also those that have ended"""
    position = position_in(query["cursor"], 1)
    before = position[0] if position else LARGEST
    with components().database.reading() as session:
        keys = read_keys(session, broker_id(), before, query["limit"] + 1)
    return page(keys, query["limit"], lambda key: [key["key_id"]])


def _own_key(key_id: int) -> None:
    with components().database.looking() as session:
        refuse_foreign_key(session, broker_id(), key_id)


@blueprint.open_to(Access.KEYS, f"{KEY}/rotate", "POST")
@blueprint.arguments(RotationSchema, of=_own_key)
@blueprint.response(201, MadeKeySchema)
def rotate_api_key(rotation: dict[str, Any], key_id: int) -> Answer:
    """Replace a key by a new one that is like it

    The new key is shown in this answer and never again. The old one is good for `overlap_seconds` more, so that
    programs can change one after the other.
    """
    refuse_suspended()
    maker, now = _maker(), datetime.now(UTC)
    overlap = timedelta(seconds=rotation["overlap_seconds"])

    def work(session: Session) -> dict[str, Any]:
        made = rotate_key(session, maker, key_id, overlap, now)
        act(session, "key.rotate", f"key:{key_id}", after={**without_secret(made), **rotation})
        return made

    made = components().database.run(work)
    components().keys.forget()
    log.info("key %d was replaced by %s by %s", key_id, made["prefix"], who())
    return answer(made, 201)


@blueprint.open_to(Access.KEYS, KEY, "DELETE", of=_own_key)
@blueprint.response(204)
def revoke_api_key(key_id: int) -> Answer:
    """Revoke a key

    Nobody gets in with it from two seconds later on, and its sockets are closed.
    """
    own, now = broker_id(), datetime.now(UTC)

    def work(session: Session) -> None:
        if revoke_key(session, own, key_id, now):
            act(session, "key.revoke", f"key:{key_id}")

    components().database.run(work)
    components().keys.forget()
    log.info("key %d was revoked by %s", key_id, who())
    return Answer(204)


def _maker() -> Maker:
    """The key or the person of the present request, which act for a broker."""
    found = caller()
    maker = found.key or found.session
    if maker is None:
        raise TypeError("the administrator makes no keys of a broker")
    return maker


def _believed_reach() -> Reach:
    """How far a key reaches of which nothing else is said: as its maker does, a person everywhere."""
    key = caller().key
    return Reach(caller().scopes) if key is None else key.reach
