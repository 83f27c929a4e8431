"""What stocks look like, coming and going."""

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validates

from api.http.fields import Choice, Several, Symbol, Text, Whole, Word
from api.http.paging import PageQuerySchema
from engine.terms.codes import VOLATILITY
from engine.terms.orders import SIDES
from engine.terms.rules import BAND_REFERENCES, EXECUTION_PRICES, STP_MODES
from engine.terms.states import ALL_STATES, STATES
from services.stocks.next_state import SETTERS


class NewStockSchema(Schema):
    """A stock to be listed; rules left out are the exchange's own. Prices in cents."""

    EXAMPLES: ClassVar = {"A stock": {"symbol": "TEST3", "name": "Test ON", "reference_price": 1_000}}

    symbol = Symbol(required=True)
    name = Text(1, 100, load_default=None)
    reference_price = Whole(
        1, 10**12, allow_none=True, load_default=None, metadata={"description": "Without it there is no band yet."}
    )
    tick_size = Whole(1, 1_000_000, metadata={"description": "Cents."})
    lot_size = Whole(1, 1_000_000, metadata={"description": "Shares."})
    band = Whole(0, 9_999, metadata={"description": "Basis points around the reference price; 0: none."})
    band_reference = Choice(
        *BAND_REFERENCES, named="BandReference", metadata={"description": "`last`: the band follows the last trade."}
    )
    dynamic_band = Whole(
        0,
        9_999,
        metadata={"description": "Basis points: a trade further from the last one calls an auction; 0: never."},
    )
    execution_price = Choice(*EXECUTION_PRICES, named="ExecutionPrice")
    self_trade_prevention = Choice(*STP_MODES, named="SelfTradePrevention")
    group = Text(1, 32, load_default=None, metadata={"description": "Which worker matches it."})
    market = Text(1, 32, load_default=None, metadata={"description": "Whose session schedule it follows."})


class StockQuerySchema(PageQuerySchema):
    """Which stocks, and which page of them."""

    symbols = Several(
        Symbol(), data_key="symbol", load_default=None, metadata={"description": "May be given several times."}
    )


class StateChangeSchema(Schema):
    """Another trading state, and why."""

    EXAMPLES: ClassVar = {
        "Halt it": {"state": "halted", "reason": "news pending"},
        "Gather for an auction": {"state": "auction", "reason": "resuming"},
        "Open it": {"state": "open"},
    }

    state = Choice(*STATES, named="TradingState", required=True)
    reason = Text(1, 200, allow_none=True, load_default=None, metadata={"description": "Told to everybody."})

    @validates("reason")
    def check_reason(self, reason: str | None, **_: Any) -> None:
        """The market's own word says that the price itself called the auction, and that the clock ends it."""
        if reason == VOLATILITY:
            raise ValidationError(f"{VOLATILITY} is what the market itself says; use other words.")


class IndicativeSchema(Schema):
    """What an auction would bring if it ended now."""

    price = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Cents; null: nothing would trade."}
    )
    volume = fields.Integer(required=True, metadata={"description": "Shares."})
    surplus = fields.Integer(
        required=True, metadata={"description": "Shares left over at that price: of bids, negative of asks."}
    )
    surplus_side = Word("Side", *SIDES, required=True, allow_none=True)


class StockSchema(Schema):
    """A listed stock; prices in cents, `band` in basis points, quantities in shares."""

    symbol = fields.String(required=True)
    name = fields.String(required=True)
    state = Word("StockState", *ALL_STATES, required=True)
    state_reason = fields.String(required=True, allow_none=True)
    state_since = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    since = fields.String(required=True, metadata={"format": "date-time"})
    reason = fields.String(required=True, allow_none=True)
    set_by = Word("StateSetter", *SETTERS, required=True)
    until = fields.String(
        required=True, allow_none=True, metadata={"format": "date-time", "description": "At the earliest."}
    )
    next_state = Word("StockState", *ALL_STATES, required=True, allow_none=True)
    band_low = fields.Integer(required=True)
    band_high = fields.Integer(required=True)
    auction_ends_at = fields.String(
        required=True, allow_none=True, metadata={"format": "date-time", "description": "At the earliest."}
    )
    indicative = fields.Nested(IndicativeSchema, required=True, allow_none=True)
    currency = fields.String(required=True)
    price_scale = fields.Integer(required=True)
    tick_size = fields.Integer(required=True)
    lot_size = fields.Integer(required=True)
    smallest_quantity = fields.Integer(required=True)
    largest_quantity = fields.Integer(required=True)
    band = fields.Integer(required=True)
    band_reference = Word("BandReference", *BAND_REFERENCES, required=True)
    dynamic_band = fields.Integer(required=True)
    reference_price = fields.Integer(required=True, allow_none=True)
    lowest_price = fields.Integer(required=True)
    highest_price = fields.Integer(required=True)
    last_price = fields.Integer(required=True, allow_none=True)
    best_bid = fields.Integer(required=True, allow_none=True)
    best_ask = fields.Integer(required=True, allow_none=True)
    execution_price = Word("ExecutionPrice", *EXECUTION_PRICES, required=True)
    self_trade_prevention = Word("SelfTradePrevention", *STP_MODES, required=True)
    group = fields.String(required=True)
    market = fields.String(required=True)


class StockPageSchema(Schema):
    """A page of stocks, by symbol."""

    items = fields.List(fields.Nested(StockSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
