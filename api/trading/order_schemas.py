"""What orders look like once they are placed; `api.trading.new_order_schemas` says how they come."""

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validates_schema

from api.http.fields import (
    LONGEST_CLIENT_ORDER_ID,
    Choice,
    FlagText,
    Instant,
    Several,
    Side,
    Symbol,
    Text,
    Whole,
    WholeText,
    Word,
)
from engine.terms.order_types import TIFS, TYPES
from engine.terms.orders import CONDITIONS, SIDES
from engine.terms.rules import STP_MODES
from models.order import OPEN_STATUSES
from services.settlement.fees import LIQUIDITIES

STATUSES = (*OPEN_STATUSES, "filled", "cancelled", "expired", "rejected")


class AmendmentSchema(Schema):
    """What is to change of an order; what is left out stays as it is."""

    EXAMPLES: ClassVar = {"Another price": {"price": 3_510}, "Less": {"quantity": 50}}
    CHANGES: ClassVar = frozenset({"price", "quantity", "valid_until", "stop_price"})

    price = Whole(1, metadata={"description": "Cents."})
    quantity = Whole(1, metadata={"description": "Shares: the new total, with what is already filled."})
    valid_until = Instant(allow_none=True, metadata={"description": "null: until it is cancelled."})
    stop_price = Whole(1, metadata={"description": "Cents: of a stop that waits."})

    @validates_schema(skip_on_field_errors=True)
    def check_something_changes(self, amendment: dict[str, Any], **_: Any) -> None:
        """An empty amendment is a mistake."""
        if not self.CHANGES & amendment.keys():
            message = "Give at least one of price, quantity, valid_until and stop_price."
            raise ValidationError({name: [message] for name in sorted(self.CHANGES)})


class OrderFilterSchema(Schema):
    """Which of one's orders to list, and how many."""

    statuses = Several(
        Choice(*STATUSES, named="OrderStatus"),
        data_key="status",
        metadata={"description": "May be given several times; `open` alone means every working status."},
    )
    symbol = Symbol()
    side = Side()
    since = Instant(data_key="from", metadata={"description": "Placed at or after."})
    until = Instant(data_key="to", metadata={"description": "Placed before."})
    client_order_id = Text(1, LONGEST_CLIENT_ORDER_ID)
    place = FlagText(load_default=False, metadata={"description": "Say where each stands in the queue at its price."})
    limit = WholeText(1, 500, load_default=50)
    cursor = Text(1, 200, load_default=None)


class FillSchema(Schema):
    """One execution of an order."""

    trade_id = fields.Integer(required=True)
    account_sequence = fields.Integer(required=True)
    price = fields.Integer(required=True, metadata={"description": "Cents."})
    quantity = fields.Integer(required=True, metadata={"description": "Shares."})
    side = Word("Side", *SIDES, required=True)
    liquidity = Word("Liquidity", *LIQUIDITIES, required=True)
    fee = fields.Integer(required=True, metadata={"description": "Cents: what the order's fee has grown by."})
    executed_at = fields.String(required=True, metadata={"format": "date-time"})
    busted = fields.Boolean(required=True)
    adjusted_from = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Cents at which it was executed, if it stands at another price."},
    )


class ReservedSchema(Schema):
    """What is set aside for an order: cents for a bid, shares of its stock for an ask."""

    asset = fields.String(required=True, metadata={"description": "`cash`, or the symbol."})
    amount = fields.Integer(required=True)


class OrderSchema(Schema):
    """An order and how far it has got."""

    class Meta:
        """The conditions that an order may have, as a request has them."""

        include: ClassVar = {
            name: fields.Boolean(required=True) if kind is bool else fields.Integer(required=True, allow_none=True)
            for name, kind in CONDITIONS.items()
        }

    order_id = fields.Integer(required=True)
    client_order_id = fields.String(required=True, allow_none=True)
    document_number = fields.String(required=True)
    symbol = fields.String(required=True)
    side = Word("Side", *SIDES, required=True)
    order_type = Word("OrderType", *TYPES, required=True)
    time_in_force = Word("TimeInForce", *TIFS, required=True)
    status = Word("OrderStatus", *STATUSES, required=True)
    reject_code = fields.String(required=True, allow_none=True)
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "Why it was rejected or cancelled at last."}
    )
    price = fields.Integer(required=True, allow_none=True, metadata={"description": "Cents."})
    triggered_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    quantity = fields.Integer(required=True, metadata={"description": "Shares."})
    filled_quantity = fields.Integer(required=True)
    remaining_quantity = fields.Integer(required=True)
    cancelled_quantity = fields.Integer(required=True, metadata={"description": "Cancelled, expired or rejected."})
    prevented_quantity = fields.Integer(required=True, metadata={"description": "Taken by self-trade prevention."})
    average_price = fields.Float(
        required=True, allow_none=True, metadata={"description": "Cents, at most four decimals; null until filled."}
    )
    fee = fields.Integer(required=True, metadata={"description": "Cents that its fills have cost so far."})
    busted_quantity = fields.Integer(required=True, metadata={"description": "Of what was filled, taken back."})
    reserved = fields.Nested(ReservedSchema, required=True)
    place = fields.Integer(allow_none=True, metadata={"description": "With `place=true`: 1 is next at its price."})
    orders_at_price = fields.Integer(allow_none=True, metadata={"description": "With `place=true`."})
    quantity_ahead = fields.Integer(allow_none=True, metadata={"description": "With `place=true`: shares."})
    self_trade_prevention = Word("SelfTradePrevention", *STP_MODES, required=True, allow_none=True)
    valid_until = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    updated_at = fields.String(required=True, metadata={"format": "date-time"})
    sequence = fields.Integer(required=True, allow_none=True)
    trades = fields.List(
        fields.Nested(FillSchema),
        required=True,
        metadata={"description": "The newest fills, at most 100, oldest first; fewer in a list of many orders."},
    )
    more_trades = fields.Boolean(
        required=True, metadata={"description": "There are older fills: `GET /trades?order_id=` has all of them."}
    )


class PlacedSchema(OrderSchema):
    """The first answer to an order: its id, status and `client_order_id`; after `Prefer: wait=N` all of the order."""

    ALWAYS = frozenset({"order_id", "status", "client_order_id"})

    def __init__(self, **options: Any) -> None:
        super().__init__(partial=tuple(name for name in self._declared_fields if name not in self.ALWAYS), **options)


class OrderPageSchema(Schema):
    """A page of orders, newest first."""

    items = fields.List(fields.Nested(OrderSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
