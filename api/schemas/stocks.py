"""What stocks look like, coming and going."""

from marshmallow import Schema, fields

from api.schemas.fields import Choice, Symbol, Text, Whole, WholeText
from engine.rules import STP_MODES


class NewStockSchema(Schema):
    """A stock to be listed; rules left out are the exchange's own. Prices in cents."""

    symbol = Symbol(required=True)
    name = Text(1, 100, load_default=None)
    reference_price = Whole(
        1, 10**12, allow_none=True, load_default=None, metadata={"description": "Without it there is no band yet."}
    )
    tick_size = Whole(1, 1_000_000, metadata={"description": "Cents."})
    lot_size = Whole(1, 1_000_000, metadata={"description": "Shares."})
    band = Whole(0, 9_999, metadata={"description": "Basis points around the reference price; 0: none."})
    execution_price = Choice("maker", "seller")
    self_trade_prevention = Choice(*STP_MODES)
    group = Text(1, 32, load_default=None, metadata={"description": "Which worker matches it."})


class PageQuerySchema(Schema):
    """Which page of a list."""

    limit = WholeText(1, 500, load_default=50)
    cursor = Text(1, 200, load_default=None)


class StockSchema(Schema):
    """A listed stock; prices in cents, `band` in basis points, quantities in shares."""

    symbol = fields.String(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True)
    currency = fields.String(required=True)
    price_scale = fields.Integer(required=True)
    tick_size = fields.Integer(required=True)
    lot_size = fields.Integer(required=True)
    smallest_quantity = fields.Integer(required=True)
    largest_quantity = fields.Integer(required=True)
    band = fields.Integer(required=True)
    reference_price = fields.Integer(required=True, allow_none=True)
    lowest_price = fields.Integer(required=True)
    highest_price = fields.Integer(required=True)
    last_price = fields.Integer(required=True, allow_none=True)
    best_bid = fields.Integer(required=True, allow_none=True)
    best_ask = fields.Integer(required=True, allow_none=True)
    execution_price = fields.String(required=True)
    self_trade_prevention = fields.String(required=True)
    group = fields.String(required=True)


class StockPageSchema(Schema):
    """A page of stocks, by symbol."""

    items = fields.List(fields.Nested(StockSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
