"""What an order looks like when it comes: its fields, and which of them go together."""

import hashlib
from typing import Any, ClassVar, Final

import orjson
from marshmallow import ValidationError, post_load, validates_schema

from api.http.fields import LONGEST_CLIENT_ORDER_ID, Choice, Flag, Instant, Side, Symbol, Text, Whole
from api.http.quick_schema import QuickSchema
from engine.terms.order_types import GTC, GTD, IOC, LIMIT, LIMITED, MARKET, RESTING_TIFS, STOPS, TIFS, TYPES
from engine.terms.orders import CONDITIONS
from engine.terms.rules import STP_MODES
from services.order_entry.requests import OrderRequest

EXAMPLE: Final = {"document_number": "11122233344", "side": "bid", "symbol": "PETR4"}


class NewOrderSchema(QuickSchema):
    """An order to be placed: prices in cents, quantities in shares."""

    EXAMPLES: ClassVar = {
        "A limit order": {**EXAMPLE, "quantity": 100, "price": 3_500},
        "With an id of one's own": {**EXAMPLE, "quantity": 100, "price": 3_400, "client_order_id": "2026-03-02/17"},
        "A market order": {**EXAMPLE, "side": "ask", "quantity": 10, "order_type": "market"},
        "Good for the day": {**EXAMPLE, "quantity": 100, "price": 3_300, "time_in_force": "day"},
        "A stop": {**EXAMPLE, "side": "ask", "quantity": 10, "order_type": "stop", "stop_price": 3_200},
        "An iceberg": {**EXAMPLE, "quantity": 1_000, "price": 3_450, "display_quantity": 100},
    }

    document_number = Text(1, 20, required=True, metadata={"description": "The end customer behind the order."})
    side = Side(required=True)
    symbol = Symbol(required=True)
    quantity = Whole(1, required=True, metadata={"description": "Shares."})
    order_type = Choice(*TYPES, named="OrderType", load_default=LIMIT)
    price = Whole(
        1,
        allow_none=True,
        load_default=None,
        metadata={"description": "Cents: the limit. Market and stop orders have none."},
    )
    time_in_force = Choice(
        *TIFS,
        named="TimeInForce",
        allow_none=True,
        load_default=None,
        metadata={"description": "Default: gtc; gtd with valid_until; ioc for a market order."},
    )
    valid_until = Instant(allow_none=True, load_default=None, metadata={"description": "Implies gtd."})
    stop_price = Whole(
        1,
        allow_none=True,
        load_default=None,
        metadata={"description": "Cents: a stop waits until the last price is at or beyond it."},
    )
    display_quantity = Whole(
        1,
        allow_none=True,
        load_default=None,
        metadata={"description": "Shares: an iceberg shows at most so many at a time."},
    )
    post_only = Flag(
        allow_none=True, load_default=False, metadata={"description": "Rejected rather than take what is there."}
    )
    self_trade_prevention = Choice(*STP_MODES, named="SelfTradePrevention", allow_none=True, load_default=None)
    client_order_id = Text(
        1,
        LONGEST_CLIENT_ORDER_ID,
        allow_none=True,
        load_default=None,
        metadata={"description": "Unique for the broker, for ever."},
    )

    def together(self, values: dict[str, Any]) -> OrderRequest:
        """The order, whose fields are right by themselves. Raises ValidationError."""
        self.check_fields_together(values)
        request: OrderRequest = self.request(values)
        return request

    @validates_schema(skip_on_field_errors=False)
    def check_fields_together(self, order: dict[str, Any], **_: Any) -> None:
        """Each order type has its prices; what cannot rest has no end, hides nothing and is not post-only."""
        errors = {**_wrong_prices(order), **_wrong_time(order), **_wrong_flags(order)}
        if errors:
            raise ValidationError({name: [message] for name, message in errors.items()})

    @post_load
    def request(self, order: dict[str, Any], **_: Any) -> OrderRequest:
        """The order with what its fields imply, and a fingerprint of all of it but the conditions that it lacks.

        Each condition came later than the rest: an order without it keeps the fingerprint that it had before.
        """
        order["time_in_force"] = order["time_in_force"] or _implied_time(order)
        order |= {name: bool(order[name]) for name, kind in CONDITIONS.items() if kind is bool}
        asked = {name: value for name, value in order.items() if value or name not in CONDITIONS}
        canonical = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
        return OrderRequest(**order, fingerprint=hashlib.sha256(canonical).digest())


def _implied_time(order: dict[str, Any]) -> str:
    if order.get("order_type") == MARKET:
        return IOC
    return GTD if order.get("valid_until") else GTC


def _wrong_prices(order: dict[str, Any]) -> dict[str, str]:
    errors = {}
    kind = order.get("order_type")
    if kind in LIMITED and order.get("price", 0) is None:
        errors["price"] = f"A {kind} order needs a price."
    elif kind in TYPES and kind not in LIMITED and order.get("price") is not None:
        errors["price"] = f"A {kind} order has no price."
    if kind in STOPS and order.get("stop_price", 0) is None:
        errors["stop_price"] = f"A {kind} order needs it."
    elif kind in TYPES and kind not in STOPS and order.get("stop_price") is not None:
        errors["stop_price"] = f"A {kind} order has none."
    return errors


def _wrong_time(order: dict[str, Any]) -> dict[str, str]:
    errors = {}
    is_market, tif, expires = order.get("order_type") == MARKET, order.get("time_in_force"), order.get("valid_until")
    if is_market and tif in RESTING_TIFS:
        errors["time_in_force"] = "A market order never rests: leave it out, or say ioc or fok."
    if expires is not None and (is_market or tif not in (None, GTD)):
        errors["valid_until"] = "Only an order that rests (gtd) is valid until some time."
    if tif == GTD and not is_market and order.get("valid_until", 0) is None:
        errors["valid_until"] = "A gtd order needs it."
    return errors


def _wrong_flags(order: dict[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    kind, shown, quantity = order.get("order_type"), order.get("display_quantity"), order.get("quantity")
    if kind is None or "time_in_force" not in order:
        return errors  # at fault themselves, and what is meant is unknown
    rests = (order.get("time_in_force") or _implied_time(order)) in RESTING_TIFS
    if order.get("post_only") and not (kind == LIMIT and rests):
        errors["post_only"] = "Only a limit order that may rest can be post-only."
    if shown is not None:
        if kind not in LIMITED or not rests:
            errors["display_quantity"] = "Only an order with a limit that may rest can hide a part."
        elif quantity is not None and shown > quantity:
            errors["display_quantity"] = "It cannot show more than there is."
    return errors
