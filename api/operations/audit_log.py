"""Who did what to whom."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer
from api.http.fields import Text, Word
from api.http.paging import LARGEST, PageQuerySchema, page, position_in
from services.identity.audit_log import ADMIN_KEY, COMMAND_LINE, KEY, PERSON, read_audit

blueprint = Resource("audit log", __name__, url_prefix="/api/v1", description="Who did what to whom.")

WANTED = ("action", "target", "actor")


class AuditQuerySchema(PageQuerySchema):
    """Which entries."""

    action = Text(1, 64, load_default=None, metadata={"description": "Such as broker.suspend."})
    target = Text(1, 128, load_default=None, metadata={"description": "Such as broker:7."})
    actor = Text(1, 128, load_default=None, metadata={"description": "A person's username, or a broker's name."})


class ActorSchema(Schema):
    """Who did something; `id` is that of a person or a key."""

    kind = Word("ActorKind", PERSON, KEY, ADMIN_KEY, COMMAND_LINE, required=True)
    id = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True)


class AuditEntrySchema(Schema):
    """One act. What it changed is in `before` and `after`, without any secret."""

    audit_id = fields.Integer(required=True)
    time = fields.DateTime(required=True)
    actor = fields.Nested(ActorSchema, required=True)
    action = fields.String(required=True)
    target = fields.String(required=True)
    before = fields.Dict(required=True, allow_none=True)
    after = fields.Dict(required=True, allow_none=True)
    address = fields.String(required=True)
    request_id = fields.String(required=True, allow_none=True)


class AuditPageSchema(Schema):
    """A page of acts, newest first."""

    items = fields.List(fields.Nested(AuditEntrySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.open_to(Access.OPERATOR, "/audit")
@blueprint.arguments(AuditQuerySchema, location="query")
@blueprint.response(200, AuditPageSchema)
def list_audit_log(query: dict[str, Any]) -> Answer:
    """List who did what to whom, newest first

    Every administrative act, and every change of keys, roles, money and limits. Nobody can change an entry or take one
    away, not even the exchange's own processes.
    """
    position = position_in(query["cursor"], 1)
    before = position[0] if position else LARGEST
    wanted = {name: query[name] for name in WANTED if query[name] is not None}
    with components().database.reading() as session:
        entries = read_audit(session, wanted, before, query["limit"] + 1)
    return page(entries, query["limit"], lambda entry: [entry["audit_id"]])
