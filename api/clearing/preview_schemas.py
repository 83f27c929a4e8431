"""What a bust would do, as it is shown beforehand."""

from marshmallow import Schema, fields

from api.http.fields import Sum, Word
from models.clearing.bust import DONE, NEEDS_CONFIRMATION, WAITING_FOR_GUARANTEE
from services.clearing.busting.admission import ALREADY_BUSTED, BUST_DECIDED, BUST_WINDOW_PASSED, SECOND_PERSON_NEEDED


class OrderToCancelSchema(Schema):
    """An open order of a debtor that would go."""

    order_id = fields.Integer(required=True)
    symbol = fields.String(required=True)
    side = fields.String(required=True)
    price = fields.Integer(required=True, allow_none=True)
    remaining_quantity = fields.Integer(required=True)
    entered_at = fields.DateTime(required=True)
    frees = fields.Integer(required=True, metadata={"description": "Cents, or shares."})


class GivenSchema(Schema):
    """What one party would have to give, and where that would come from: cents, or shares of `asset`."""

    broker_id = fields.Integer()
    broker_name = fields.String()
    asset = fields.String()
    owed = fields.Integer()
    taken_available = fields.Integer()
    advanced = fields.Integer()
    orders_to_cancel = fields.List(fields.Nested(OrderToCancelSchema))
    stays_owed = fields.Integer(metadata={"description": "Once these orders are cancelled."})
    status_after = Word("BrokerStatus", "active", "close_only", "suspended")


class FeesReturnedSchema(Schema):
    """Cents."""

    buyer = fields.Integer(required=True)
    seller = fields.Integer(required=True)


class BustedCandleSchema(Schema):
    """The candle of the trade's minute; all prices null where no trade of it stands."""

    start = fields.DateTime(required=True)
    open = fields.Integer(required=True, allow_none=True)
    high = fields.Integer(required=True, allow_none=True)
    low = fields.Integer(required=True, allow_none=True)
    close = fields.Integer(required=True, allow_none=True)
    volume = fields.Integer(required=True)
    turnover = Sum(required=True)
    vwap = fields.Float(required=True, allow_none=True)
    trade_count = fields.Integer(required=True)


class PublicFiguresSchema(Schema):
    """What everybody sees."""

    last_price = fields.Integer(required=True, allow_none=True)
    candle = fields.Nested(BustedCandleSchema, required=True)


class BustMarketDataSchema(Schema):
    """What everybody sees, with the trade and without it, or at its other price."""

    before = fields.Nested(PublicFiguresSchema, required=True)
    after = fields.Nested(PublicFiguresSchema, required=True)


class BustPreviewSchema(GivenSchema):
    """What a bust would come to: who has to give the money, beside it the shares, and what becomes of who cannot."""

    dry_run = fields.Boolean(required=True)
    trade_id = fields.Integer(required=True)
    symbol = fields.String(required=True)
    status = Word(
        "BustOutcome",
        *(DONE, NEEDS_CONFIRMATION, WAITING_FOR_GUARANTEE),
        *(ALREADY_BUSTED, BUST_DECIDED, BUST_WINDOW_PASSED, SECOND_PERSON_NEEDED),
        required=True,
    )
    old_price = fields.Integer(required=True)
    new_price = fields.Integer(required=True, allow_none=True)
    quantity = fields.Integer(required=True)
    notional = Sum(required=True)
    shares = fields.Nested(GivenSchema, allow_none=True)
    fees_returned = fields.Nested(FeesReturnedSchema, allow_none=True)
    market_data = fields.Nested(BustMarketDataSchema)
