"""What brokers and their accounts look like."""

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields

from api.accounts.webhooks.schemas import check_web_address
from api.http.fields import Choice, Instant, Strict, Sum, Symbol, Text, Whole, Word
from services.accounts.equity import INTERVALS
from services.settlement.fees import LARGEST_BPS
from services.webhooks.urls import LONGEST_URL

LARGEST_CASH = 10**15
"""Cents that one broker may bring or owe: nine thousand such brokers still fit a 64-bit sum."""

LARGEST_POSITION = 10**12
"""Shares of one stock that one broker may bring or be short of."""


class Positions(Strict, fields.Dict):
    """By symbol, each stock once, in whatever case its symbol is written; `shares` says what stands for each."""

    def __init__(self, shares: fields.Field[Any], **options: Any) -> None:
        super().__init__(keys=Symbol(), values=shares, **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        positions: dict[str, Any] = super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        if len(positions) < len(value):
            raise ValidationError("A stock is given more than once.")
        return positions


class NewBrokerSchema(Schema):
    """A broker to be registered, and what it brings."""

    EXAMPLES: ClassVar = {
        "Prefunded": {"name": "Aurora", "cash": 100_000_000, "positions": {"PETR4": 1_000}},
        "Trusted": {"name": "Boreal", "credit_limit": 100_000_000, "short_limit": 1_000},
    }

    name = Text(1, 100, required=True)
    webhook_url = Text(1, LONGEST_URL, allow_none=True, load_default=None, validate=check_web_address)
    cash = Whole(0, LARGEST_CASH, load_default=0, metadata={"description": "Cents."})
    positions = Positions(Whole(0, LARGEST_POSITION), load_default=dict, metadata={"description": "Shares by symbol."})
    credit_limit = Whole(
        0, LARGEST_CASH, load_default=0, metadata={"description": "Cents that cash may go below zero."}
    )
    short_limit = Whole(
        0, LARGEST_POSITION, load_default=0, metadata={"description": "Shares that each stock may go below zero."}
    )


class BrokerSchema(Schema):
    """A broker, as administrators and operators see it."""

    broker_id = fields.Integer(required=True)
    name = fields.String(required=True)
    status = Word("BrokerStatus", "active", "close_only", "suspended", required=True)
    credit_limit = fields.Integer(required=True)
    short_limit = fields.Integer(required=True)
    maker_bps = fields.Integer(required=True, metadata={"description": "Basis points that new orders pay, resting."})
    taker_bps = fields.Integer(required=True, metadata={"description": "And when they meet a resting one."})
    open_orders = fields.Integer(required=True)
    created_at = fields.DateTime(required=True)


class BrokerPageSchema(Schema):
    """A page of brokers, newest first."""

    items = fields.List(fields.Nested(BrokerSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class BrokerChangeSchema(Schema):
    """What is to be another way; what is left out stays."""

    EXAMPLES: ClassVar = {"Limits": {"credit_limit": 50_000_000, "short_limit": 1_000}, "A name": {"name": "Aurora II"}}

    name = Text(1, 100)
    credit_limit = Whole(0, LARGEST_CASH, metadata={"description": "Cents that cash may go below zero."})
    short_limit = Whole(0, LARGEST_POSITION, metadata={"description": "Shares that each stock may go below zero."})


class FeeChangeSchema(Schema):
    """What a broker pays of its own; what is left out stays, and null is that of its tier."""

    EXAMPLES: ClassVar = {
        "Its own": {"maker_bps": 0, "taker_bps": 5},
        "By tier": {"maker_bps": None, "taker_bps": None},
    }

    maker_bps = Whole(0, LARGEST_BPS, allow_none=True, metadata={"description": "Of orders that rest."})
    taker_bps = Whole(0, LARGEST_BPS, allow_none=True, metadata={"description": "Of orders that meet resting ones."})


class FeeTierSchema(Schema):
    """What who trades much pays."""

    from_volume = fields.Integer(required=True, metadata={"description": "Cents traded in 30 days."})
    maker_bps = fields.Integer(required=True)
    taker_bps = fields.Integer(required=True)


class FeesSchema(Schema):
    """What new orders pay, in basis points of what is traded; in an auction as makers."""

    maker_bps = fields.Integer(required=True)
    taker_bps = fields.Integer(required=True)
    volume_30d = Sum(required=True, metadata={"description": "Cents bought and sold, as of the daily roll."})
    tiers = fields.List(fields.Nested(FeeTierSchema), required=True)


class StandingSchema(Schema):
    """Whether a broker may trade, and how many of its orders are being cancelled."""

    broker_id = fields.Integer(required=True)
    status = Word("BrokerStatus", "active", "close_only", "suspended", required=True)
    cancelling = fields.Integer(required=True)


class RegisteredSchema(Schema):
    """A new broker; key and secret are shown this once."""

    broker_id = fields.Integer(required=True)
    api_key = fields.String(required=True)
    webhook_secret = fields.String(
        required=True, allow_none=True, metadata={"description": "Null where no `webhook_url` was given."}
    )


class BalanceSchema(Schema):
    """A broker's cash, in cents; `balance` is what trades brought: sales less purchases and fees."""

    broker_id = fields.Integer(required=True)
    broker_name = fields.String(required=True)
    balance = fields.Integer(required=True)
    available = fields.Integer(required=True)
    reserved = fields.Integer(required=True)
    credit_limit = fields.Integer(required=True)
    equity = Sum(required=True, metadata={"description": "Cash, and shares at the last or reference price."})
    buying_power = fields.Integer(required=True, metadata={"description": "What new orders may reserve."})
    owed = fields.Integer(required=True, metadata={"description": "To the exchange; 0 for nearly everybody."})
    status = Word("BrokerStatus", "active", "close_only", "suspended", required=True)


class HistoryQuerySchema(Schema):
    """How often, and when."""

    interval = Choice(*INTERVALS, named="EquityInterval", load_default="1h")
    since = Instant(data_key="from", load_default=None, metadata={"description": "Included."})
    until = Instant(data_key="to", load_default=None, metadata={"description": "Not included."})


class EquityPointSchema(Schema):
    """What the account was worth, in cents: equity = net_deposits + realised_pnl + unrealised_pnl - fees."""

    time = fields.DateTime(required=True)
    equity = Sum(required=True)
    cash = Sum(required=True)
    realised_pnl = Sum(required=True)
    unrealised_pnl = Sum(required=True)
    fees = Sum(required=True)
    net_deposits = Sum(required=True)


class EquityHistorySchema(Schema):
    """Points of equity, oldest first; the last is of now."""

    items = fields.List(fields.Nested(EquityPointSchema), required=True)


class PositionSchema(Schema):
    """What is held of one stock, less what is owed of it: cents at average cost; unknown values are null."""

    symbol = fields.String(required=True)
    available = fields.Integer(required=True)
    reserved = fields.Integer(required=True)
    owed = fields.Integer(required=True, metadata={"description": "Shares that the guarantee account has lent."})
    average_cost = fields.Float(required=True, allow_none=True)
    market_value = Sum(required=True, allow_none=True)
    realised_pnl = Sum(required=True)
    unrealised_pnl = Sum(required=True, allow_none=True)


class PortfolioSchema(Schema):
    """Everything that a broker holds; `cash` in cents is what is available and what is reserved."""

    cash = fields.Integer(required=True)
    available_cash = fields.Integer(required=True)
    reserved_cash = fields.Integer(required=True)
    positions = fields.List(fields.Nested(PositionSchema), required=True)
