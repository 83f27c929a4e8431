"""Matching: an incoming order against the other side, best price first, oldest first (price-time priority)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import codes
from engine.events import Cancelled, Event, Trade
from engine.orders import ASK, BID, LIMIT, Order
from engine.prevention import prevent
from engine.rules import CANCEL_RESTING, NONE, SELLER

if TYPE_CHECKING:
    from collections.abc import Hashable

    from engine.ladder import Ladder
    from engine.orders import Level
    from engine.side import BookSide


def match(book: Ladder, taker: Order, limit: int, events: list[Event]) -> None:
    """Trade `taker` at `limit` cents or better, until it is filled or nothing more may trade.

    What is left over stays in `taker.remaining`; the caller decides whether it rests. The first trade of a book
    without a reference becomes its reference, for the commands that follow.
    """
    opposite = book.asks if taker.side == BID else book.bids
    worst = limit * opposite.sign
    level = opposite.best
    if level is None or level.key < worst:
        return
    mode = taker.stp or book.rules.stp
    account = None if mode == NONE else taker.account
    limit_of_seller = 0
    if book.rules.execution_price == SELLER and taker.side == ASK and taker.type == LIMIT:
        limit_of_seller = limit
    elif level.key > opposite.outermost:
        drop_outside_band(book, opposite, worst, events)
        level = opposite.best
    first_price = 0
    while level is not None and level.key >= worst:
        price = limit_of_seller or level.price
        if fill(level, taker, price, account, book.orders, events):
            book.last_price = price
            first_price = first_price or price
        own = level.head
        if own is None:
            opposite.remove_best()
        elif taker.remaining:
            prevent(book, taker, own, mode, events)
        if not taker.remaining:
            break
        level = opposite.best
    if first_price and book.reference is None:
        book.reference = first_price


def fill(
    level: Level,
    taker: Order,
    price: int,
    account: Hashable,
    orders: dict[Hashable, Order],
    events: list[Event],
) -> int:
    """Trade `taker` against the queue of `level` at `price`, and give the quantity that was traded.

    A level that is left without a head is to be dropped by the caller.
    Stops when either has nothing left, or when the next in the queue has the taker's `account` (None: never).
    """
    wanted = remaining = taker.remaining
    count = level.count
    maker = level.head
    while maker is not None and remaining:
        if account is not None and maker.account == account:
            break
        quantity = maker.remaining
        current = maker
        if quantity > remaining:
            quantity = remaining
            maker.remaining -= quantity
        else:
            maker.remaining = 0
            count -= 1
            del orders[maker.id]
            maker = maker.behind
            current.level = current.ahead = current.behind = None
        remaining -= quantity
        current.filled += quantity
        current.filled_value += quantity * price
        events.append(Trade(current, taker, price, quantity))
    traded = wanted - remaining
    level.head = maker
    if maker is not None:
        maker.ahead = None
    level.count = count
    level.quantity -= traded
    taker.remaining = remaining
    taker.filled += traded
    taker.filled_value += traded * price
    return traded


def would_fill(book: Ladder, taker: Order, limit: int) -> bool:
    """Whether `match` would fill all of `taker`; looks, and changes nothing (fill or kill).

    Quantity that the band or self-trade prevention keeps from trading does not count. A mode that takes anything
    off the incoming order leaves it unfilled by that much.
    """
    opposite = book.asks if taker.side == BID else book.bids
    worst = limit * opposite.sign
    at_own_price = book.rules.execution_price == SELLER and taker.side == ASK and taker.type == LIMIT
    mode = taker.stp or book.rules.stp
    missing = taker.remaining
    for level in opposite:
        if level.key < worst or missing <= 0:
            break
        if level.key > opposite.outermost and not at_own_price:
            continue
        if mode == NONE or taker.account is None:
            missing -= level.quantity
            continue
        for maker in level:
            if maker.account != taker.account:
                missing -= maker.remaining
            elif mode != CANCEL_RESTING and missing > 0:
                return False
    return missing <= 0


def drop_outside_band(book: Ladder, side: BookSide, worst: int, events: list[Event]) -> None:
    """Cancel what an order that reaches key `worst` meets in `side`, but the band does not let trade at its price.

    A bid above the band, or an ask below it, was entered before the band was there, or was where it is now. It
    would be the first to trade with anything that comes, at a price that may not print; left in place it would
    block its side of the market.
    """
    while side.best is not None and side.best.key > side.outermost and side.best.key >= worst:
        order = side.best.head
        assert order is not None  # noqa: S101 - a level in the book is never empty
        quantity = order.remaining
        book.reduce(order, quantity)
        events.append(Cancelled(order, quantity, codes.PRICE_OUTSIDE_BAND))
