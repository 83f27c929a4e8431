"""Amending an order that rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.terms import codes
from engine.terms.commands import Amend, Unchanged
from engine.terms.events import Amended, Event, Rejected
from engine.terms.order_types import LIMITED
from engine.terms.rules import check_quantity
from engine.terms.states import OPEN, REFUSALS
from engine.trading.entering import enter, price_refusal, stop_refusal
from engine.trading.stops import is_reached, trigger

if TYPE_CHECKING:
    from engine.resting.ladder import Ladder
    from engine.terms.orders import Order


def amend(book: Ladder, command: Amend, events: list[Event]) -> None:
    """Apply `command`, or refuse it and leave the order as it was.

    Less quantity at the same price keeps the order's priority, and so does a new expiry. More quantity or another
    price loses it: the order leaves its queue, is matched like a new one, and what is left joins the back. A new
    total that is no more than what is already used up cancels the remainder; `order.quantity` stays the old total, as
    FIX OrderQty 38 does after a cancel. A stop goes on waiting, unless its new stop price is reached already; of an
    iceberg the hidden part is changed first.
    """
    order = book.orders.get(command.id)
    if order is None:
        events.append(Rejected(command.id, codes.UNKNOWN_ORDER))
        return
    price, quantity = _wanted(order, command)
    stop_price = order.stop_price if command.stop_price is None else command.stop_price
    keeps_priority = price == order.price and quantity <= order.quantity and stop_price == order.stop_price
    code = _refusal(book, order, command, price, quantity, keeps_priority)
    if code is not None:
        events.append(Rejected(command.id, code))
        return
    remaining = quantity - order.filled - order.cancelled
    if remaining <= 0:
        book.cancel(order, order.remaining, codes.AMENDED, events)
        return
    events.append(Amended(order, price or 0, quantity, keeps_priority, order.price or 0, order.remaining, remaining))
    expire_at = order.expire_at if isinstance(command.expire_at, Unchanged) else command.expire_at
    if keeps_priority:
        _shrink(order, quantity, remaining)
        if expire_at != order.expire_at:
            book.set_expiry(order, expire_at, events)
    else:
        book.leave(order)
        order.shown = 0
        order.price, order.stop_price = price, stop_price
        order.quantity = quantity
        order.remaining = remaining
        order.expire_at = expire_at
        if order.waits and book.state == OPEN and is_reached(order, book.last_price):
            trigger(order, events)
        enter(book, order, events)


def _refusal(
    book: Ladder, order: Order, command: Amend, price: int | None, quantity: int, keeps_priority: bool
) -> str | None:
    """The code to refuse the amendment with, or None."""
    if book.state in REFUSALS:
        return REFUSALS[book.state]
    stop_price = command.stop_price
    moves_stop = stop_price is not None and stop_price != order.stop_price
    has_price = moves_stop or order.type in LIMITED or command.price in (None, order.price)
    if not has_price or (moves_stop and not order.waits):
        return codes.NOT_AMENDABLE
    code = check_quantity(quantity, book.rules.lot)
    if code is None and not keeps_priority:
        code = price_refusal(book, order, price) or (stop_refusal(book, order, stop_price) if moves_stop else None)
    if code is None and order.post_only and price is not None and book.state == OPEN and book.meets(order.side, price):
        code = codes.POST_ONLY_WOULD_TAKE
    return code


def _wanted(order: Order, command: Amend) -> tuple[int | None, int]:
    """The price and total quantity that the order is to have."""
    price = order.price if command.price is None else command.price
    return price, order.quantity if command.quantity is None else command.quantity


def _shrink(order: Order, quantity: int, remaining: int) -> None:
    """Give `order` a smaller total where it stands."""
    if order.level is not None:
        order.level.resize(order, remaining)
    order.quantity = quantity
