"""Entering an order: refused, or accepted and matched, and what is left of it rests or expires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.terms import codes
from engine.terms.events import Accepted, Event, Rejected
from engine.terms.order_types import FOK, LIMIT, LIMITED, RESTING_TIFS, STOPS, TIFS, TYPES
from engine.terms.orders import BID
from engine.terms.rules import NO_LIMIT, check_gathering, check_price, check_quantity
from engine.terms.states import GATHERING, OPEN, REFUSALS
from engine.trading.matching import match, would_fill
from engine.trading.stops import is_reached, trigger

if TYPE_CHECKING:
    from engine.resting.ladder import Ladder
    from engine.terms.orders import Order


def new(book: Ladder, order: Order, events: list[Event]) -> None:
    """Enter `order`, or say why not."""
    price, quantity, rules = order.price, order.quantity, book.rules
    if (
        price is not None
        and order.type == LIMIT
        and order.tif in RESTING_TIFS
        and order.expire_at is None
        and book.lowest <= price <= book.highest
        and not price % rules.tick
        and quantity > 0
        and not quantity % rules.lot
        and order.id not in book.orders
        and not order.post_only
        and order.display_quantity is None
        and order.stop_price is None
        and not book.watchful
    ):
        # Nearly every order: what is good in every respect takes the short way. The long one leads to the same.
        events.append(Accepted(order))
        match_and_rest(book, order, price, events)
        return
    code = refusal(book, order)
    if code is not None:
        events.append(Rejected(order.id, code))
        return
    events.append(Accepted(order))
    if order.waits and book.state == OPEN and is_reached(order, book.last_price):
        trigger(order, events)
    enter(book, order, events)


def enter(book: Ladder, order: Order, events: list[Event]) -> None:
    """Match a valid order, then let it rest or expire, as its type, its time in force and its end say.

    A stop that has not been elected waits, and while orders gather for an auction everything does.
    """
    expire_at, price = order.expire_at, order.price
    if expire_at is not None and expire_at <= book.now:
        book.expire(order, events)
    elif order.waits or book.state != OPEN:
        book.gather(order)
    elif price is not None and order.type in LIMITED and order.tif in RESTING_TIFS:
        match_and_rest(book, order, price, events)
    else:
        limit = furthest(book, order)
        if order.tif != FOK or would_fill(book, order, limit):
            match(book, order, limit, events)
        if order.remaining:
            book.expire(order, events)


def match_and_rest(book: Ladder, order: Order, price: int, events: list[Event]) -> None:
    """Trade `order` at `price` or better, and put what is left at the back of the queue at `price`."""
    opposite = book.asks if order.side == BID else book.bids
    best = opposite.best
    if best is not None and best.key >= price * opposite.sign:
        match(book, order, price, events)
    if order.remaining:
        book.rest(order, price)


def furthest(book: Ladder, order: Order) -> int:
    """The worst price (cents) at which an order may trade: its limit or protection price, never past the band."""
    if order.side == BID:
        return book.highest if order.price is None else min(order.price, book.highest)
    return book.lowest if order.price is None else max(order.price, book.lowest)


def refusal(book: Ladder, order: Order) -> str | None:
    """The code to refuse a new order with, or None. The checks stand in the order in which they are reported."""
    if order.id in book.orders:
        return codes.DUPLICATE_ID
    if book.state in REFUSALS:
        return REFUSALS[book.state]
    if order.tif not in TIFS or order.type not in TYPES:
        return codes.UNSUPPORTED
    return (
        check_quantity(order.quantity, book.rules.lot)
        or price_refusal(book, order, order.price)
        or stop_refusal(book, order, order.stop_price)
        or display_refusal(book, order)
        or auction_refusal(book, order)
        or (post_only_refusal(book, order) if order.post_only else None)
    )


def price_refusal(book: Ladder, order: Order, price: int | None) -> str | None:
    """The code to refuse a limit or a protection price with, or None."""
    if order.type in LIMITED:
        return check_price(price, book.rules.tick, book.lowest, book.highest)
    return codes.INVALID_PRICE if price is not None and price <= 0 else None


def stop_refusal(book: Ladder, order: Order, stop_price: int | None) -> str | None:
    """The code to refuse a stop price with, or None: stops need one, of any distance, and nothing else may have one."""
    if order.type not in STOPS:
        return None if stop_price is None else codes.INVALID_STOP_PRICE
    if stop_price is None or not 0 < stop_price <= NO_LIMIT:
        return codes.INVALID_STOP_PRICE
    return codes.OFF_TICK if stop_price % book.rules.tick else None


def display_refusal(book: Ladder, order: Order) -> str | None:
    """The code to refuse an iceberg with, or None: it must be able to rest, and show whole lots."""
    shown = order.display_quantity
    if shown is None:
        return None
    may_rest = order.type in LIMITED and order.tif in RESTING_TIFS
    if not may_rest or not 0 < shown <= order.quantity or shown % book.rules.lot:
        return codes.INVALID_DISPLAY_QUANTITY
    return None


def auction_refusal(book: Ladder, order: Order) -> str | None:
    """The code to refuse what cannot wait for an auction with, or None."""
    if book.state not in GATHERING:
        return None
    return check_gathering(order.type, order.tif, post_only=order.post_only)


def post_only_refusal(book: Ladder, order: Order) -> str | None:
    """The code to refuse a post-only order with, or None: it must be able to rest at once, and must not take."""
    if order.price is None or order.type != LIMIT or order.tif not in RESTING_TIFS:
        return codes.INVALID_POST_ONLY
    return codes.POST_ONLY_WOULD_TAKE if book.meets(order.side, order.price) else None
