"""Entering an order: refused, or accepted and matched, and what is left of it rests or expires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import codes
from engine.events import Accepted, Event, Rejected
from engine.matching import match, would_fill
from engine.orders import BID, FOK, LIMIT, RESTING_TIFS, TIFS, TYPES
from engine.rules import check_price, check_quantity

if TYPE_CHECKING:
    from engine.ladder import Ladder
    from engine.orders import Order


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
    ):
        # Nearly every order: what is good in every respect takes the short way. The long one leads to the same.
        events.append(Accepted(order))
        match_and_rest(book, order, price, events)
        return
    code = refusal(book, order)
    if code is None:
        events.append(Accepted(order))
        enter(book, order, events)
    else:
        events.append(Rejected(order.id, code))


def enter(book: Ladder, order: Order, events: list[Event]) -> None:
    """Match a valid order, then let it rest or expire, as its type, its time in force and its end say."""
    expire_at, price = order.expire_at, order.price
    if expire_at is not None and expire_at <= book.now:
        book.expire(order, events)
    elif price is not None and order.type == LIMIT and order.tif in RESTING_TIFS:
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
    """How far in cents an order may go: to its limit or protection price, and never past the band."""
    if order.side == BID:
        return book.highest if order.price is None else min(order.price, book.highest)
    return book.lowest if order.price is None else max(order.price, book.lowest)


def refusal(book: Ladder, order: Order) -> str | None:
    """The code to refuse a new order with, or None. The checks stand in the order in which they are reported."""
    if order.id in book.orders:
        return codes.DUPLICATE_ID
    if order.tif not in TIFS or order.type not in TYPES:
        return codes.UNSUPPORTED
    code = check_quantity(order.quantity, book.rules.lot)
    if code is None and order.type == LIMIT:
        code = check_price(order.price, book.rules.tick, book.lowest, book.highest)
    elif code is None and order.price is not None and order.price <= 0:
        code = codes.INVALID_PRICE
    if code is None and order.post_only:
        code = post_only_refusal(book, order)
    return code


def post_only_refusal(book: Ladder, order: Order) -> str | None:
    """The code to refuse a post-only order with, or None: it must be able to rest, and must not take."""
    if order.price is None or order.type != LIMIT or order.tif not in RESTING_TIFS:
        return codes.INVALID_POST_ONLY
    return codes.POST_ONLY_WOULD_TAKE if book.meets(order.side, order.price) else None
