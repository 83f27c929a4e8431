"""The engine's events and its book as JSON objects, one a line."""

from __future__ import annotations

from collections.abc import Hashable
from json import JSONEncoder
from typing import Any, Final

from engine import ASK, BID, Book, Event
from engine.terms import events as told
from engine.terms.orders import SIDE_NAMES

encode: Final = JSONEncoder(separators=(",", ":")).encode


def write_event(event: Event) -> str:
    """One line of JSON, without its end."""
    return encode(_shape(event))


def _shape(event: Event) -> dict[str, Any]:  # noqa: C901, PLR0911 - one for each event
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
        case told.Triggered(order):
            return {"event": "triggered", "id": order.id}
        case told.Indicative(price, volume, surplus):
            return {"event": "indicative", "price": price, "volume": volume, "surplus": surplus}
        case told.StateChanged(state):
            return {"event": "state", "state": state}
        case told.Corrected(last_price):
            return {"event": "corrected", "last_price": last_price}


def write_rejection(order_id: Hashable, code: str) -> str:
    """One line for a command that never reached the book."""
    return write_event(told.Rejected(order_id, code))


def write_book(book: Book) -> str:
    """One line with every level, best first: its price, all its quantity, and the ids of its orders, oldest first.

    What icebergs hide is in the quantity. Stops that wait and market orders before an auction are in no level.
    """
    return encode({"event": "book", "bids": _levels(book, BID), "asks": _levels(book, ASK)})


def _levels(book: Book, side: int) -> list[list[Any]]:
    levels = book.side(side)
    return [[level.price, level.quantity + level.hidden, [order.id for order in level]] for level in levels]
