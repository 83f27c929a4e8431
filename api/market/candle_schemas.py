"""What candles, tickers and sparklines look like."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from api.http.fields import Choice, FlagText, Instant, Several, Sum, Symbol, WholeText, Word
from api.http.paging import PageQuerySchema
from engine.terms.states import ALL_STATES
from services.market_data.candles.intervals import INTERVALS


class CandlesQuerySchema(PageQuerySchema):
    """Which candles of a stock."""

    interval = Choice(*INTERVALS, named="CandleInterval", load_default="1m")
    since = Instant(data_key="from", load_default=None, metadata={"description": "Included."})
    until = Instant(data_key="to", load_default=None, metadata={"description": "Not included."})
    fill = FlagText(load_default=False, metadata={"description": "Put flat candles into gaps between trades."})

    @validates_schema
    def check_order(self, data: dict[str, Any], **_: Any) -> None:
        """The end comes after the beginning."""
        since, until = data.get("since"), data.get("until")
        if since is not None and until is not None and since >= until:
            raise ValidationError("Must be after from.", "to")


class CandleSchema(Schema):
    """What a stock's trades of one stretch of time come to; prices in cents, `volume` in shares."""

    start = fields.String(required=True, metadata={"format": "date-time"})
    open = fields.Integer(required=True)
    high = fields.Integer(required=True)
    low = fields.Integer(required=True)
    close = fields.Integer(required=True)
    volume = Sum(required=True)
    vwap = fields.Float(required=True, allow_none=True)
    trade_count = fields.Integer(required=True)
    closed = fields.Boolean(required=True, metadata={"description": "Whether its time is over."})
    filled = fields.Boolean(metadata={"description": "With `fill`: nothing was traded."})


class CandlePageSchema(Schema):
    """A page of candles, oldest first."""

    items = fields.List(fields.Nested(CandleSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class FiguresSchema(Schema):
    """What was traded in a while; prices, `turnover` and `change` in cents, `volume` in shares."""

    open = fields.Integer(required=True, allow_none=True)
    high = fields.Integer(required=True, allow_none=True)
    low = fields.Integer(required=True, allow_none=True)
    close = fields.Integer(required=True, allow_none=True)
    volume = Sum(required=True)
    turnover = Sum(required=True)
    vwap = fields.Float(required=True, allow_none=True)
    trade_count = fields.Integer(required=True)
    change = fields.Integer(required=True, allow_none=True)
    change_bps = fields.Integer(required=True, allow_none=True)


class TickerSchema(Schema):
    """A stock's prices and what was traded: `day` is the last 24 hours, `session` since the opening or the roll."""

    symbol = fields.String(required=True)
    state = Word("StockState", *ALL_STATES, required=True)
    last_price = fields.Integer(required=True, allow_none=True)
    bid = fields.Integer(required=True, allow_none=True)
    bid_quantity = fields.Integer(required=True, allow_none=True)
    ask = fields.Integer(required=True, allow_none=True)
    ask_quantity = fields.Integer(required=True, allow_none=True)
    day = fields.Nested(FiguresSchema, required=True)
    session = fields.Nested(FiguresSchema, required=True)
    sequence = fields.Integer(required=True)
    updated_at = fields.String(required=True, metadata={"format": "date-time"})


class TickersQuerySchema(Schema):
    """Which stocks."""

    symbols = Several(
        Symbol(), data_key="symbol", load_default=None, metadata={"description": "May be given several times."}
    )


class TickersSchema(Schema):
    """Tickers, by symbol."""

    items = fields.List(fields.Nested(TickerSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True, metadata={"description": "Always null: all are here."})


class SparklinesQuerySchema(Schema):
    """How far back, and how finely."""

    interval = Choice(*INTERVALS, named="CandleInterval", load_default="5m")
    points = WholeText(2, 200, load_default=60)


class SparklineSchema(Schema):
    """The prices of a stock at the ends of intervals, oldest first, and at last now; in cents."""

    symbol = fields.String(required=True)
    closes = fields.List(fields.Integer(), required=True)


class SparklinesSchema(Schema):
    """Those of all listed stocks, by symbol."""

    items = fields.List(fields.Nested(SparklineSchema), required=True)
