"""Busts, and what they come to, as they are asked for and shown."""

from typing import ClassVar

from marshmallow import Schema, fields

from api.http.fields import Choice, Flag, Instant, Sum, Symbol, Text, Whole, Word
from api.http.paging import PageQuerySchema
from models.clearing.bust import STATUSES

LONGEST_REASON = 500


class Reason(Text):
    """Why, in words that are kept and told to both parties."""

    def __init__(self) -> None:
        super().__init__(1, LONGEST_REASON, required=True, metadata={"examples": ["Fat finger: 56.10 for 65.10."]})


class BustRequestSchema(Schema):
    """Why a trade is to be taken back or, with a `price`, at what it is to stand."""

    EXAMPLES: ClassVar = {
        "See what it would do": {"reason": "Fat finger: 56.10 for 65.10.", "dry_run": True},
        "Have it stand at another price": {"reason": "Agreed by both parties.", "price": 3_490},
        "Take it back": {"reason": "Fat finger: 56.10 for 65.10."},
    }

    reason = Reason()
    price = Whole(1, 10**12, load_default=None, metadata={"description": "Cents: the trade stands at this price."})
    dry_run = Flag(load_default=False, metadata={"description": "Only say what it would come to."})


class RangeRequestSchema(Schema):
    """Which trades of a stock are to be taken back, and why."""

    EXAMPLES: ClassVar = {
        "A minute": {
            "symbol": "PETR4",
            "from": "2026-03-02T14:03:00Z",
            "to": "2026-03-02T14:04:00Z",
            "reason": "A program sent its test orders.",
        },
    }

    symbol = Symbol(required=True)
    since = Instant(required=True, data_key="from", metadata={"description": "Inclusive."})
    until = Instant(required=True, data_key="to", metadata={"description": "Exclusive."})
    reason = Reason()


class RejectionSchema(Schema):
    """Why a trade is to stand."""

    EXAMPLES: ClassVar = {"Stands": {"reason": "The price was meant."}}

    reason = Reason()


class ShortfallSchema(Schema):
    """A party that could not give all of it: cents, or shares of `asset`."""

    broker_id = fields.Integer(required=True)
    asset = fields.String(required=True, metadata={"description": "`cash`, or the symbol."})
    owed = fields.Integer(required=True, metadata={"description": "What it had to give."})
    taken_available = fields.Integer(required=True)
    missing = fields.Integer(required=True, metadata={"description": "What it had not."})
    advanced = fields.Integer(required=True, metadata={"description": "By the guarantee account, at once."})
    orders_cancelled = fields.List(fields.Integer(), required=True, metadata={"description": "Newest first."})


class BustSchema(Schema):
    """What was asked for of a trade, by whom, and what became of it."""

    bust_id = fields.Integer(required=True)
    trade_id = fields.Integer(required=True)
    symbol = fields.String(required=True)
    quantity = fields.Integer(required=True)
    executed_at = fields.DateTime(required=True)
    buyer_id = fields.Integer(required=True)
    seller_id = fields.Integer(required=True)
    status = Word("BustStatus", *STATUSES, required=True)
    refusal = fields.String(required=True, allow_none=True, metadata={"description": "Why its turn refused it."})
    rule = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    old_price = fields.Integer(required=True, metadata={"description": "Cents at which it was executed."})
    new_price = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Cents at which it stands; null: it is taken back."}
    )
    notional = Sum(required=True)
    range_id = fields.Integer(required=True, allow_none=True, metadata={"description": "Of those asked for together."})
    asked_by = fields.String(required=True)
    asked_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "Until when a second person may confirm it."}
    )
    confirmed_by = fields.String(required=True, allow_none=True)
    confirmed_at = fields.DateTime(required=True, allow_none=True)
    rejected_by = fields.String(required=True, allow_none=True)
    rejection = fields.String(required=True, allow_none=True)
    done_at = fields.DateTime(required=True, allow_none=True)
    shortfalls = fields.List(fields.Nested(ShortfallSchema), required=True)


class BustPageSchema(Schema):
    """A page of busts, newest first."""

    items = fields.List(fields.Nested(BustSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RangeSchema(Schema):
    """What was asked for together."""

    busts = fields.List(fields.Nested(BustSchema), required=True)


class BustQuerySchema(PageQuerySchema):
    """Which busts."""

    status = Choice(*STATUSES, named="BustStatus", load_default=None)
    symbol = Symbol(load_default=None)


class ReceivableSchema(Schema):
    """What a broker owes of one asset."""

    broker_id = fields.Integer(required=True)
    broker_name = fields.String(required=True)
    asset = fields.String(required=True)
    amount = fields.Integer(required=True, metadata={"description": "Cents, or shares."})
    worth = Sum(required=True, metadata={"description": "Cents: shares at their reference price."})


class GuaranteeSchema(Schema):
    """What the guarantee account has advanced, and for whom."""

    advanced = Sum(required=True, metadata={"description": "Cents: lent shares at their reference price."})
    limit = fields.Integer(required=True)
    receivables = fields.List(fields.Nested(ReceivableSchema), required=True)
    shares_lent = fields.Dict(required=True, metadata={"description": "Shares by symbol."})
