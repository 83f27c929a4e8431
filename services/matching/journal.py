"""From a row of the inbox to what the engine is asked to do. The worker and the replay read the journal alike.

A payload comes as its text and is read here, value by value: what no request of ours can have written is refused as
the one command that it is, before it reaches a book.
"""

from collections.abc import Callable, Container, Mapping
from typing import Any, Final

import orjson

from engine.terms.codes import INTERNAL_ERROR, REASONS, REQUESTED
from engine.terms.commands import UNCHANGED, Amend, Cancel, Clock, Close, Command, Correct, New, Roll, State, Uncross
from engine.terms.order_types import TIFS, TYPES
from engine.terms.orders import CONDITIONS, SIDES, Order
from engine.terms.rules import STP_MODES
from engine.terms.states import ALL_STATES, STATES
from services.settlement.fees import LARGEST_BPS, FeeRates, OrderFees

BROKEN = INTERNAL_ERROR
"""A command that broke the engine or the settlement."""

UNDERFUNDED = "insufficient_reservation"
"""An amendment for which too little was set aside."""

NEVER_MATCHED = frozenset({BROKEN, UNDERFUNDED})
"""With these in `refused` a command was sequenced but kept from the engine; a replay leaves it out too."""

WITHOUT_PAYLOAD: Final[dict[str, Callable[[], Command]]] = {
    "expire": Clock,
    "uncross": Uncross,
    "roll": Roll,
    "bust": Correct,
}
"""Kinds of which the engine needs to know nothing else, or what is found out where their turn comes."""


LARGEST: Final = 2**63 - 1
"""What a bigint of PostgreSQL holds."""


class UnreadableCommand(Exception):
    """A command's payload lacks a value or has one of a wrong kind; the message names it."""


def command_of(row: Any) -> Command:
    """The engine's command for a row of `commands` whose `payload` is JSON as text. Raises UnreadableCommand."""
    try:
        payload = orjson.loads(row.payload)
    except ValueError as error:
        raise UnreadableCommand(f"the payload is no JSON that can be read: {error}") from error
    if not isinstance(payload, dict):
        raise UnreadableCommand("the payload is no JSON object")
    return engine_command(row.kind, row.order_id, row.broker_id, payload)


def engine_command(kind: str, order_id: int | None, broker_id: int | None, payload: Mapping[str, Any]) -> Command:
    """The engine's command of this kind. An order's account is its (broker, document). Raises UnreadableCommand."""
    match kind:
        case "new":
            return New(_order(order_id, broker_id, payload))
        case "close":
            return Close(_order(order_id, broker_id, payload))
        case "cancel":
            return Cancel(order_id, REQUESTED if payload.get("reason") is None else _one_of(payload, "reason", REASONS))
        case "amend":
            price, quantity = _amount(payload, "price"), _amount(payload, "quantity")
            expire_at = _time(payload) if "expire_at" in payload else UNCHANGED
            stop_price = _amount(payload, "stop_price") if "stop_price" in payload else None
            return Amend(order_id, price, quantity, expire_at, stop_price)
        case "state":
            only_from = payload.get("only_from", STATES)
            if not isinstance(only_from, list | tuple) or not all(state in STATES for state in only_from):
                raise _wrong(payload, "only_from")
            return State(_one_of(payload, "state", ALL_STATES), _text(payload, "reason"), tuple(only_from))
        case "expire" | "uncross" | "roll" | "bust":
            return WITHOUT_PAYLOAD[kind]()
    raise ValueError(f"unknown kind of command: {kind}")


def _order(order_id: int | None, broker_id: int | None, payload: Mapping[str, Any]) -> Order:
    """The order that a payload describes; what few orders have is left out of the others' payloads."""
    document, quantity, stp = payload.get("document"), _amount(payload, "quantity"), payload.get("stp")
    if not isinstance(document, str):
        raise _wrong(payload, "document")
    if quantity is None:
        raise _wrong(payload, "quantity")
    order = Order(
        order_id,
        (broker_id, document),
        SIDES[_one_of(payload, "side", SIDES)],
        _one_of(payload, "type", TYPES),
        _amount(payload, "price"),
        quantity,
        _one_of(payload, "tif", TIFS),
        _time(payload),
        None if stp is None else _one_of(payload, "stp", STP_MODES),
    )
    for name, kind in CONDITIONS.items():
        if name in payload:
            setattr(order, name, _amount(payload, name) if kind is int else _truth(payload, name))
    if "taker_bps" in payload:
        order.fees = OrderFees(FeeRates(_rate(payload, "maker_bps"), _rate(payload, "taker_bps")), quantity)
    return order


def _amount(payload: Mapping[str, Any], name: str) -> int | None:
    """A price (cents) or quantity (shares), null where there is none."""
    value = payload.get(name, UNCHANGED)
    if value is None or (type(value) is int and 0 < value <= LARGEST):
        return value
    raise _wrong(payload, name)


def _rate(payload: Mapping[str, Any], name: str) -> int:
    """A fee in basis points."""
    value = payload.get(name)
    if type(value) is int and 0 <= value <= LARGEST_BPS:
        return value
    raise _wrong(payload, name)


def _truth(payload: Mapping[str, Any], name: str) -> bool:
    value = payload.get(name)
    if value in (None, False, True):
        return bool(value)
    raise _wrong(payload, name)


def _time(payload: Mapping[str, Any]) -> int | None:
    """`expire_at`: microseconds since 1970, null for never."""
    value = payload.get("expire_at", UNCHANGED)
    if value is None or (type(value) is int and abs(value) <= LARGEST):
        return value
    raise _wrong(payload, "expire_at")


def _text(payload: Mapping[str, Any], name: str) -> str | None:
    value = payload.get(name, UNCHANGED)
    if value is None or (isinstance(value, str) and "\0" not in value):
        return value
    raise _wrong(payload, name)


def _one_of(payload: Mapping[str, Any], name: str, choices: Container[str]) -> str:
    value = payload.get(name)
    if isinstance(value, str) and value in choices:
        return value
    raise _wrong(payload, name)


def _wrong(payload: Mapping[str, Any], name: str) -> UnreadableCommand:
    found = repr(payload[name])[:100] if name in payload else "missing"
    return UnreadableCommand(f"{name} is {found}")
