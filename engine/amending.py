"""Amending an order that rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import codes
from engine.commands import Amend, Unchanged
from engine.entering import enter
from engine.events import Amended, Cancelled, Event, Rejected
from engine.rules import check_price, check_quantity

if TYPE_CHECKING:
    from engine.ladder import Ladder
    from engine.orders import Order


def amend(book: Ladder, command: Amend, events: list[Event]) -> None:
    """Apply `command`, or refuse it and leave the order as it was.

    Less quantity at the same price keeps the order's priority, and so does a new expiry. More quantity or another
    price loses it: the order leaves its queue, is matched like a new one, and what is left joins the back. A new
    total that is no more than what is already used up cancels the remainder.
    """
    order = book.orders.get(command.id)
    if order is None:
        events.append(Rejected(command.id, codes.UNKNOWN_ORDER))
        return
    price, quantity = _wanted(order, command)
    keeps_priority = price == order.price and quantity <= order.quantity
    code = check_quantity(quantity, book.rules.lot)
    if code is None and not keeps_priority:
        code = check_price(price, book.rules.tick, book.lowest, book.highest)
    if code is None and order.post_only and book.meets(order.side, price):
        code = codes.POST_ONLY_WOULD_TAKE
    if code is not None:
        events.append(Rejected(command.id, code))
        return
    remaining = quantity - order.filled - order.cancelled
    if remaining <= 0:
        quantity = order.remaining
        book.reduce(order, quantity)
        events.append(Cancelled(order, quantity, codes.AMENDED))
        return
    events.append(Amended(order, price, quantity, keeps_priority, order.price or 0, order.remaining))
    expire_at = order.expire_at if isinstance(command.expire_at, Unchanged) else command.expire_at
    if keeps_priority:
        _shrink(order, quantity, remaining)
        if expire_at != order.expire_at:
            book.set_expiry(order, expire_at, events)
    else:
        book.leave(order)
        order.price = price
        order.quantity = quantity
        order.remaining = remaining
        order.expire_at = expire_at
        enter(book, order, events)


def _wanted(order: Order, command: Amend) -> tuple[int, int]:
    """The price and total quantity that the order is to have; a resting order always has a price."""
    price = order.price or 0 if command.price is None else command.price
    return price, order.quantity if command.quantity is None else command.quantity


def _shrink(order: Order, quantity: int, remaining: int) -> None:
    """Give `order` a smaller total where it stands."""
    if order.level is not None:
        order.level.quantity -= order.remaining - remaining
    order.quantity = quantity
    order.remaining = remaining
