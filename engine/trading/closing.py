"""Closing a position: what its owner has in the book on that side goes, and an order for all of it comes, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.terms import codes
from engine.terms.commands import Close
from engine.terms.events import Event, Rejected
from engine.terms.states import PRE_OPEN, REFUSALS
from engine.trading.entering import new

if TYPE_CHECKING:
    from engine.resting.ladder import Ladder

TAKES_NONE = {**REFUSALS, PRE_OPEN: codes.STOCK_CLOSED}
"""The states in which no position is closed, and the codes to say so: before the opening nobody knows a price."""


def close(book: Ladder, command: Close, events: list[Event]) -> None:
    """Apply `command`, or refuse it and change nothing: in those states, and where there is nothing to close."""
    code = TAKES_NONE.get(book.state)
    if code is None and command.refused == codes.NO_POSITION:
        code = codes.NO_POSITION
    if code is not None:
        events.append(Rejected(command.order.id, code))
        return
    for id in command.ids:
        order = book.orders.get(id)
        if order is not None:  # else it has expired just now
            book.cancel(order, order.remaining, codes.REQUESTED, events)
    if command.refused is not None:
        events.append(Rejected(command.order.id, command.refused))
        return
    new(book, command.order, events)
