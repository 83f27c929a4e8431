"""Stops: orders that wait until the last price reaches theirs.

A buy stop is elected when the last price is at or above its stop price, a sell stop at or below (FIX OrdType 3 and 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.terms.events import Event, Triggered
from engine.terms.orders import BID

if TYPE_CHECKING:
    from engine.resting.ladder import Ladder
    from engine.terms.orders import Order


def is_reached(order: Order, last_price: int | None) -> bool:
    """True if a last price of so many cents elects the stop."""
    return last_price is not None and (last_price - (order.stop_price or 0)) * order.side >= 0


def trigger(order: Order, events: list[Event]) -> None:
    """From here on `order` is a market or a limit order."""
    order.elected = True
    events.append(Triggered(order))


def next_reached(book: Ladder, lowest: int, highest: int) -> Order | None:
    """Of the stops that prices from `lowest` to `highest` have reached, the one that goes first; None if there is none.

    That is the one furthest beyond its stop price, then the oldest.
    """
    best: tuple[int, int] | None = None
    found: Order | None = None
    for waiting in (book.buy_stops, book.sell_stops):
        level = waiting.best
        if level is None or level.head is None:
            continue
        order = level.head
        beyond = highest - level.price if order.side == BID else level.price - lowest
        if beyond >= 0 and (best is None or (-beyond, order.priority) < best):
            best, found = (-beyond, order.priority), order
    return found
