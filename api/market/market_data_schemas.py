"""What market data looks like."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from api.http.fields import Instant, Side, Symbol, Text, WholeText, Word
from api.market.stock_schemas import IndicativeSchema
from engine.terms.orders import SIDES
from services.market_data.grouped_book import DEEPEST
from services.market_data.snapshots import BOOK_DEPTH
from services.settlement.fees import LIQUIDITIES


class PriceQuerySchema(Schema):
    """Over how many trades the average is."""

    trades = WholeText(1, 1000, load_default=50)


class DepthQuerySchema(Schema):
    """How many levels a side, and of how many ticks each."""

    depth = WholeText(1, DEEPEST, load_default=10, metadata={"description": f"Above {BOOK_DEPTH} only with group."})
    group = WholeText(1, 1_000_000, load_default=None, metadata={"description": "Ticks that are one level."})

    @validates_schema
    def check_depth(self, data: dict[str, Any], **_: Any) -> None:
        """Only levels that are put together may be many."""
        if data.get("group") is None and data.get("depth", 0) > BOOK_DEPTH:
            raise ValidationError(f"Must be from 1 to {BOOK_DEPTH}, or have group.", "depth")


class EventsQuerySchema(Schema):
    """Where to go on."""

    after = WholeText(0, load_default=0, metadata={"description": "The last sequence that is known."})
    epoch = Text(1, 64, load_default=None, metadata={"description": "The one that it is of."})
    limit = WholeText(1, 500, load_default=50)
    cursor = Text(1, 200, load_default=None)


class FillsQuerySchema(Schema):
    """Which of one's own fills."""

    after = WholeText(
        0, load_default=None, metadata={"description": "The last account_sequence that is known: what came since."}
    )
    order_id = WholeText(1, load_default=None, metadata={"description": "Fills of this order alone."})
    symbol = Symbol(load_default=None)
    side = Side(load_default=None)
    since = Instant(data_key="from", load_default=None, metadata={"description": "Included."})
    until = Instant(data_key="to", load_default=None, metadata={"description": "Not included."})
    limit = WholeText(1, 500, load_default=50)
    cursor = Text(1, 200, load_default=None)


class PriceSchema(Schema):
    """A stock's price, in cents."""

    symbol = fields.String(required=True)
    last_price = fields.Integer(required=True, allow_none=True)
    average_price = fields.Float(required=True, allow_none=True)
    trades_in_average = fields.Integer(required=True)


class LevelSchema(Schema):
    """All orders at one price."""

    price = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null: market orders that wait for an auction."}
    )
    total_quantity = fields.Integer(required=True)
    order_count = fields.Integer(required=True)


class BookSchema(Schema):
    """The best levels a side. `book_sequence` counts the changes of this book, `sequence` is that of the tape."""

    symbol = fields.String(required=True)
    epoch = fields.String(required=True)
    depth = fields.Integer(required=True)
    book_sequence = fields.Integer(required=True)
    sequence = fields.Integer(required=True)
    bids = fields.List(fields.Nested(LevelSchema), required=True)
    asks = fields.List(fields.Nested(LevelSchema), required=True)


class BookEntrySchema(Schema):
    """Where an order stands in the book; whose it is is not told."""

    order_id = fields.Integer(required=True)
    symbol = fields.String(required=True)
    side = Word("Side", *SIDES, required=True)
    price = fields.Integer(required=True)
    remaining_quantity = fields.Integer(required=True)
    place = fields.Integer(required=True, metadata={"description": "1 is next at its price."})
    quantity_ahead = fields.Integer(required=True)


class TradeSchema(Schema):
    """A public trade."""

    trade_id = fields.Integer(required=True)
    symbol = fields.String(required=True)
    sequence = fields.Integer(required=True)
    price = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    aggressor_side = Word("Side", *SIDES, required=True)
    executed_at = fields.String(required=True, metadata={"format": "date-time"})
    busted = fields.Boolean(required=True)
    adjusted_from = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Cents at which it was executed, if it stands at another price."},
    )


class TradePageSchema(Schema):
    """A page of the tape, newest first."""

    items = fields.List(fields.Nested(TradeSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class EventSchema(Schema):
    """A public event, with the payload that listeners were sent."""

    sequence = fields.Integer(required=True)
    event = fields.String(required=True)
    payload = fields.Dict(required=True)


class EventPageSchema(Schema):
    """A page of events, oldest first."""

    epoch = fields.String(required=True)
    items = fields.List(fields.Nested(EventSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ToldIndicativeSchema(IndicativeSchema):
    """What an auction would have brought, and when it was told."""

    at = fields.String(required=True, metadata={"format": "date-time"})


class IndicativePageSchema(Schema):
    """A page of them, newest first."""

    items = fields.List(fields.Nested(ToldIndicativeSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class OwnFillSchema(Schema):
    """One's own side of a trade."""

    account_sequence = fields.Integer(required=True)
    trade_id = fields.Integer(required=True)
    order_id = fields.Integer(required=True)
    client_order_id = fields.String(required=True, allow_none=True)
    symbol = fields.String(required=True)
    side = Word("Side", *SIDES, required=True)
    price = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    liquidity = Word("Liquidity", *LIQUIDITIES, required=True)
    fee = fields.Integer(required=True, metadata={"description": "Cents that it cost."})
    executed_at = fields.String(required=True, metadata={"format": "date-time"})
    busted = fields.Boolean(required=True)
    adjusted_from = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Cents at which it was executed, if it stands at another price."},
    )


class OwnFillPageSchema(Schema):
    """A page of one's own fills: newest first, or with `after` oldest first."""

    items = fields.List(fields.Nested(OwnFillSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
