"""The election of stops after a command: one after the other, until its trades have reached no other.

Every trade of the command counts, not only its last one. What an elected stop trades may elect others in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.terms.codes import PRICE_OUTSIDE_BAND
from engine.terms.events import Event, Trade
from engine.terms.order_types import STOP_LIMIT
from engine.terms.states import OPEN
from engine.trading.entering import enter
from engine.trading.stops import next_reached, trigger

if TYPE_CHECKING:
    from engine.resting.ladder import Ladder


def elect(book: Ladder, events: list[Event], last_price: int | None = None) -> None:
    """Elect what the trades among `events`, and `last_price` (cents), have reached, and what that trades in turn."""
    prices = [] if last_price is None else [last_price]
    looked_at = 0
    while book.state == OPEN:
        prices += [event.price for event in events[looked_at:] if isinstance(event, Trade)]
        looked_at = len(events)
        if not prices:
            return
        prices = [min(prices), max(prices)]
        order = next_reached(book, *prices)
        if order is None:
            return
        book.leave(order)
        trigger(order, events)
        if order.type == STOP_LIMIT and not book.lowest <= (order.price or 0) <= book.highest:
            # The band has left its limit behind: resting there it would block its side.
            book.cancel(order, order.remaining, PRICE_OUTSIDE_BAND, events)
        else:
            enter(book, order, events)
