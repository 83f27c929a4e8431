"""The engine's commands, read from JSON objects; `cli.order_flow.json_events` writes what they bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cli.order_flow.json_fields import UNKNOWN_COMMAND, InvalidCommand
from engine import ASK, BID, UNCHANGED, Amend, Cancel, Clock, Command, New, Order, Roll, State, Uncross
from engine.terms import orders
from engine.terms.codes import INVALID_PRICE
from engine.terms.order_types import GTC, GTD, LIMIT, MARKET, STOP
from engine.terms.rules import STP_MODES

LARGEST: Final = 2**53
"""The largest number that every JSON reader keeps exact."""

SIDES: Final = {**orders.SIDES, "buy": BID, "sell": ASK}

WITHOUT_FIELDS: Final[Mapping[str, type[Uncross | Roll | Clock]]] = {"uncross": Uncross, "roll": Roll, "clock": Clock}


def read_command(fields: Mapping[str, Any]) -> Command:
    """The command that `fields`, by their own names, say. Raises `InvalidCommand`.

    A field that is null is as good as absent.
    """
    name = fields.get("cmd")
    if name == "new":
        return New(_order(fields))
    if name == "cancel":
        return Cancel(read_id(fields))
    if name == "amend":
        expire_at = _integer(fields, "expire_at") if "expire_at" in fields else UNCHANGED
        price, quantity, stop_price = (_integer(fields, name) for name in ("price", "quantity", "stop_price"))
        return Amend(read_id(fields), price, quantity, expire_at, stop_price)
    if name == "state":
        return State(_text(fields, "state", ""))
    if isinstance(name, str) and name in WITHOUT_FIELDS:
        return WITHOUT_FIELDS[name]()
    raise InvalidCommand(UNKNOWN_COMMAND)


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
    if kind in (MARKET, STOP) and price is not None:
        raise InvalidCommand(INVALID_PRICE)
    return Order(
        order_id,
        account,
        side,
        kind,
        price,
        quantity,
        tif,
        expire_at,
        stp,
        **{name: CONDITION_READERS[kind](fields, name) for name, kind in orders.CONDITIONS.items()},
    )


def _integer(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST:
        raise InvalidCommand(f"invalid_{name}")
    return value


def _truth(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool | None):
        raise InvalidCommand(f"invalid_{name}")
    return bool(value)


CONDITION_READERS: Final[Mapping[type, Callable[[Mapping[str, Any], str], Any]]] = {int: _integer, bool: _truth}


def _text(fields: Mapping[str, Any], name: str, default: str) -> str:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise InvalidCommand(f"invalid_{name}")
    return value
