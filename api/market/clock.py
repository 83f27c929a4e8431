"""Whether the markets are open, and when they open and close next."""

from datetime import UTC, datetime

from marshmallow import Schema, fields

from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.fields import Word
from engine.terms.states import STATES
from services.stocks.market_clock import read_clock

PHASES = ("pre_open", "opening_auction", "open", "closing_auction", "closed")

blueprint = Resource("clock", __name__, url_prefix="/api/v1", description="When the markets trade.")


class MarketClockSchema(Schema):
    """One market; its times are those of the schedule, and null for one that never closes."""

    market = fields.String(required=True)
    state = Word("TradingState", *STATES, required=True)
    phase = Word("MarketPhase", *PHASES, required=True)
    phase_since = fields.DateTime(required=True)
    phase_until = fields.DateTime(required=True, metadata={"description": "At the earliest."})
    random_end_seconds = fields.Integer(
        required=True, metadata={"description": "How much later than that an auction may end."}
    )
    next_open = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "When continuous trading begins next."}
    )
    next_close = fields.DateTime(required=True, allow_none=True)
    timezone = fields.String(required=True)


class ClockSchema(Schema):
    """The exchange's time, and where each market is in its day."""

    now = fields.DateTime(required=True)
    markets = fields.List(fields.Nested(MarketClockSchema), required=True)


@blueprint.open_to(Access.MARKET, "/clock")
@blueprint.response(200, ClockSchema)
def get_clock() -> Answer:
    """Whether the markets are open, and when they open and close next

    A single stock may be halted or in a volatility auction meanwhile; `GET /stocks/{symbol}` says so.
    """
    with components().database.reading_few() as session:
        return answer(read_clock(session, components().settings, datetime.now(UTC)))
