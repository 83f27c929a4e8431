"""The engine's commands and events as JSON objects, one a line."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from json import JSONEncoder
from typing import Any, Final

from engine import ASK, BID, UNCHANGED, Amend, Book, Cancel, Clock, Command, Event, New, Order
from engine import events as told
from engine.codes import INVALID_PRICE, UNSUPPORTED
from engine.orders import GTC, GTD, LIMIT, MARKET
from engine.rules import STP_MODES

LARGEST: Final = 2**53
"""The largest number that every JSON reader keeps exact."""

SIDES: Final = {"bid": BID, "buy": BID, "ask": ASK, "sell": ASK}
SIDE_NAMES: Final = {BID: "bid", ASK: "ask"}

UNKNOWN_COMMAND: Final = "unknown_command"
NOT_YET: Final = frozenset({"state", "uncross"})
"""Commands of the format that the engine does not carry out."""

encode: Final = JSONEncoder(separators=(",", ":")).encode


class InvalidCommand(Exception):
    """The object is no command; `code` says which field is missing or wrong: `invalid_<field>`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_command(fields: Mapping[str, Any]) -> Command:
    """The command that `fields` say. Raises `InvalidCommand`.

    A field that is null is as good as absent; one that no command has is ignored.
    """
    name = fields.get("cmd")
    if name == "new":
        return New(_order(fields))
    if name == "cancel":
        return Cancel(read_id(fields))
    if name == "amend":
        expire_at = _integer(fields, "expire_at") if "expire_at" in fields else UNCHANGED
        return Amend(read_id(fields), _integer(fields, "price"), _integer(fields, "quantity"), expire_at)
    if name == "clock":
        return Clock()
    raise InvalidCommand(UNSUPPORTED if isinstance(name, str) and name in NOT_YET else UNKNOWN_COMMAND)


def read_id(fields: Mapping[str, Any]) -> int | str:
    """The id of the order that `fields` name: a string or an integer, and 7 is not "7". Raises `InvalidCommand`."""
    order_id = fields.get("id")
    if isinstance(order_id, bool) or not isinstance(order_id, int | str):
        raise InvalidCommand("invalid_id")
    return order_id


def read_now(fields: Mapping[str, Any]) -> int:
    """The time that a `clock` brings. Raises `InvalidCommand`."""
    now = _integer(fields, "now")
    if now is None:
        raise InvalidCommand("invalid_now")
    return now


def _order(fields: Mapping[str, Any]) -> Order:
    order_id = read_id(fields)
    account = fields.get("account")
    if isinstance(account, bool) or not isinstance(account, int | str | None):
        raise InvalidCommand("invalid_account")
    side = SIDES.get(_text(fields, "side", ""))
    if side is None:
        raise InvalidCommand("invalid_side")
    kind = _text(fields, "type", LIMIT)
    price = _integer(fields, "price")
    quantity = _integer(fields, "quantity")
    if quantity is None:
        raise InvalidCommand("invalid_quantity")
    tif = _text(fields, "tif", GTC)
    expire_at = _integer(fields, "expire_at")
    if tif == GTD and expire_at is None:
        raise InvalidCommand("invalid_expire_at")
    stp = fields.get("stp")
    if stp is not None and stp not in STP_MODES:
        raise InvalidCommand("invalid_stp")
    post_only = fields.get("post_only")
    if not isinstance(post_only, bool | None):
        raise InvalidCommand("invalid_post_only")
    if fields.get("stop_price") is not None or fields.get("display_quantity") is not None:
        raise InvalidCommand(UNSUPPORTED)
    if kind == MARKET and price is not None:
        raise InvalidCommand(INVALID_PRICE)
    return Order(order_id, account, side, kind, price, quantity, tif, expire_at, stp, post_only=bool(post_only))


def _integer(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST:
        raise InvalidCommand(f"invalid_{name}")
    return value


def _text(fields: Mapping[str, Any], name: str, default: str) -> str:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise InvalidCommand(f"invalid_{name}")
    return value


def write_event(event: Event) -> str:
    """One line of JSON, without its end."""
    return encode(_shape(event))


def _shape(event: Event) -> dict[str, Any]:
    match event:
        case told.Accepted(order):
            return {"event": "accepted", "id": order.id}
        case told.Rejected(order_id, code):
            return {"event": "rejected", "id": order_id, "code": code}
        case told.Trade(maker, taker, price, quantity):
            return {
                "event": "trade",
                "maker": maker.id,
                "taker": taker.id,
                "taker_side": SIDE_NAMES[taker.side],
                "price": price,
                "quantity": quantity,
            }
        case told.Amended(order, price, quantity, kept_priority):
            return {
                "event": "amended",
                "id": order.id,
                "price": price,
                "quantity": quantity,
                "kept_priority": kept_priority,
            }
        case told.Cancelled(order, quantity, reason):
            return {"event": "cancelled", "id": order.id, "quantity": quantity, "reason": reason}
        case told.Expired(order, quantity):
            return {"event": "expired", "id": order.id, "quantity": quantity}


def write_rejection(order_id: Hashable, code: str) -> str:
    """One line for a command that never reached the book."""
    return write_event(told.Rejected(order_id, code))


def write_book(book: Book) -> str:
    """One line with every level, best first: its price, all its quantity, and the ids of its orders, oldest first."""
    return encode({"event": "book", "bids": _levels(book, BID), "asks": _levels(book, ASK)})


def _levels(book: Book, side: int) -> list[list[Any]]:
    return [[level.price, level.quantity, [order.id for order in level]] for level in book.side(side)]
