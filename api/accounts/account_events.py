"""What happened to one's own orders, for catching up."""

from typing import Any

from marshmallow import Schema, fields

from api.access.auth import broker_id
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.fields import Text, WholeText
from services.accounts.account_events import last_account_events, read_account_events
from services.operations.epoch import read_epoch
from services.operations.resuming import FIRST, Series
from serving.present import paced

blueprint = Resource("account events", __name__, url_prefix="/api/v1", description="One's own events, by number.")


class AccountEventsQuerySchema(Schema):
    """Where to go on."""

    after = WholeText(0, load_default=0, metadata={"description": "The last account_sequence that is known."})
    epoch = Text(1, 64, load_default=None, metadata={"description": "The one that it is of."})
    limit = WholeText(1, 500, load_default=50)


class AccountEventSchema(Schema):
    """One event of one order, with the payload that one's streams were sent."""

    account_sequence = fields.Integer(required=True)
    event = fields.String(required=True)
    at = fields.String(required=True, metadata={"format": "date-time"})
    payload = fields.Dict(required=True)


class AccountEventsSchema(Schema):
    """Events, oldest first."""

    epoch = fields.String(required=True)
    items = fields.List(fields.Nested(AccountEventSchema), required=True)
    next_after = fields.Integer(required=True, metadata={"description": "To ask with next."})


@blueprint.open_to(Access.READ, "/account/events")
@blueprint.arguments(AccountEventsQuerySchema, location="query")
@blueprint.response(200, AccountEventsSchema)
def list_account_events(query: dict[str, Any]) -> Answer:
    """What happened to one's own orders, oldest first

    The numbers have no gaps: whoever has missed some asks for them here, with the last one known as `after`. 410
    `start_anew` where nobody can go on from there: the numbers have begun anew, or the number has not been given yet.
    """
    after, own = query["after"], broker_id()
    with components().database.reading() as session:
        newest = last_account_events(session, [own])[own]
        series = Series(read_epoch(session), FIRST, newest)
        series.go_on(after, query["epoch"])
        items = list(paced(read_account_events(session, own, after, query["limit"])))
    next_after = items[-1]["account_sequence"] if items else after
    return answer({"epoch": series.epoch, "items": items, "next_after": next_after})
