"""What orders look like, coming and going."""

import hashlib
from typing import Any

import orjson
from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from api.schemas.fields import Choice, Instant, NotSupported, Side, Symbol, Text, Whole, WholeText
from models.order import OPEN_STATUSES
from services.store_orders import Wish

STATUSES = (*OPEN_STATUSES, "filled", "cancelled", "expired", "rejected")
SELF_TRADE_PREVENTION = ("none", "cancel_resting", "cancel_incoming", "cancel_both", "decrement")


class NewOrderSchema(Schema):
    """An order to be placed: prices in cents, quantities in shares."""

    document_number = Text(1, 20, required=True, metadata={"description": "The end customer behind the order."})
    side = Side(required=True)
    symbol = Symbol(required=True)
    quantity = Whole(1, required=True, metadata={"description": "Shares."})
    order_type = Choice("limit", "market", planned=("stop", "stop_limit"), load_default="limit")
    price = Whole(1, allow_none=True, load_default=None, metadata={"description": "Cents; a market order has none."})
    time_in_force = Choice("gtc", "gtd", "ioc", planned=("day", "fok"), allow_none=True, load_default=None)
    valid_until = Instant(allow_none=True, load_default=None, metadata={"description": "Implies gtd."})
    self_trade_prevention = Choice(*SELF_TRADE_PREVENTION, allow_none=True, load_default=None)
    client_order_id = Text(
        1, 64, allow_none=True, load_default=None, metadata={"description": "Unique for the broker, for ever."}
    )
    stop_price = NotSupported(load_only=True, allow_none=True)
    display_quantity = NotSupported(load_only=True, allow_none=True)
    post_only = NotSupported(load_only=True, allow_none=True)

    @validates_schema(skip_on_field_errors=False)
    def check_fields_together(self, order: dict[str, Any], **_: Any) -> None:
        """A limit order has a price and a market order none; a resting time in force is not for market orders."""
        errors = {}
        order_type, tif, expires = order.get("order_type"), order.get("time_in_force"), order.get("valid_until")
        if order_type == "limit" and order.get("price", 0) is None:
            errors["price"] = "A limit order needs a price."
        if order_type == "market":
            if order.get("price") is not None:
                errors["price"] = "A market order has no price."
            if tif not in (None, "ioc"):
                errors["time_in_force"] = "A market order never rests: leave it out, or say ioc."
        if expires is not None and (order_type == "market" or tif not in (None, "gtd")):
            errors["valid_until"] = "Only an order that rests (gtd) is valid until some time."
        if tif == "gtd" and order_type != "market" and order.get("valid_until", 0) is None:
            errors["valid_until"] = "A gtd order needs it."
        if errors:
            raise ValidationError({name: [message] for name, message in errors.items()})

    @post_load
    def wish(self, order: dict[str, Any], **_: Any) -> Wish:
        """The order with what its fields imply, and a fingerprint of all of it."""
        for name in ("stop_price", "display_quantity", "post_only"):
            order.pop(name, None)
        implied = "ioc" if order["order_type"] == "market" else "gtd" if order["valid_until"] else "gtc"
        order["time_in_force"] = order["time_in_force"] or implied
        canonical = orjson.dumps(order, option=orjson.OPT_SORT_KEYS)
        return Wish(**order, fingerprint=hashlib.sha256(canonical).digest())


class AmendmentSchema(Schema):
    """What is to change of an order; what is left out stays as it is."""

    price = Whole(1, metadata={"description": "Cents."})
    quantity = Whole(1, metadata={"description": "Shares: the new total, with what is already filled."})
    valid_until = Instant(allow_none=True, metadata={"description": "null: until it is cancelled."})

    @validates_schema(skip_on_field_errors=True)
    def check_something_changes(self, amendment: dict[str, Any], **_: Any) -> None:
        """An empty amendment is a mistake."""
        if not amendment:
            message = "Give at least one of price, quantity and valid_until."
            raise ValidationError({name: [message] for name in ("price", "quantity", "valid_until")})


class OrderFilterSchema(Schema):
    """Which of one's orders to list, and how many."""

    status = Choice(*STATUSES)
    symbol = Symbol()
    side = Side()
    since = Instant(data_key="from", metadata={"description": "Placed at or after."})
    until = Instant(data_key="to", metadata={"description": "Placed before."})
    limit = WholeText(1, 500, load_default=50)
    cursor = Text(1, 200, load_default=None)


class FillSchema(Schema):
    """One execution of an order."""

    trade_id = fields.Integer(required=True)
    price = fields.Integer(required=True, metadata={"description": "Cents."})
    quantity = fields.Integer(required=True, metadata={"description": "Shares."})
    side = fields.String(required=True)
    executed_at = fields.String(required=True, metadata={"format": "date-time"})
    busted = fields.Boolean(required=True)


class OrderSchema(Schema):
    """An order and how far it has got."""

    order_id = fields.Integer(required=True)
    client_order_id = fields.String(required=True, allow_none=True)
    document_number = fields.String(required=True)
    symbol = fields.String(required=True)
    side = fields.String(required=True)
    order_type = fields.String(required=True)
    time_in_force = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    reject_code = fields.String(required=True, allow_none=True)
    price = fields.Integer(required=True, allow_none=True, metadata={"description": "Cents."})
    stop_price = fields.Integer(required=True, allow_none=True)
    quantity = fields.Integer(required=True, metadata={"description": "Shares."})
    filled_quantity = fields.Integer(required=True)
    remaining_quantity = fields.Integer(required=True)
    cancelled_quantity = fields.Integer(required=True)
    average_price = fields.Float(
        required=True, allow_none=True, metadata={"description": "Cents, at most four decimals; null until filled."}
    )
    self_trade_prevention = fields.String(required=True, allow_none=True)
    valid_until = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    updated_at = fields.String(required=True, metadata={"format": "date-time"})
    sequence = fields.Integer(required=True, allow_none=True)
    trades = fields.List(fields.Nested(FillSchema), required=True)


class PlacedSchema(Schema):
    """The first answer to an order; with `Prefer: wait=N` it has all of an order's fields."""

    order_id = fields.Integer(required=True)
    status = fields.String(required=True)
    client_order_id = fields.String(required=True, allow_none=True)


class OrderPageSchema(Schema):
    """A page of orders, newest first."""

    items = fields.List(fields.Nested(OrderSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
