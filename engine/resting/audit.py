"""What must hold in a book after every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.resting.expiry import is_current
from engine.terms.order_types import LIMITED, MARKET, RESTING_TIFS
from engine.terms.orders import BID
from engine.terms.states import OPEN

if TYPE_CHECKING:
    from engine.resting.ladder import Ladder
    from engine.resting.side import BookSide
    from engine.terms.orders import Level, Order


class BrokenBook(Exception):
    """The book contradicts itself; the message names the side, level or order, and what is wrong."""


def check(book: Ladder) -> None:
    """Raise `BrokenBook` unless the book is uncrossed, sorted, linked, summed, indexed and in time priority.

    Walks the whole book; meant for tests and `minex verify`, not for every command.
    """
    seen = 0
    for side in (book.bids, book.asks, book.buy_stops, book.sell_stops):
        _check_side(side)
        for level in side:
            seen += _check_level(book, side, level)
        if side.market.count or side.market.head is not None:
            _require(book.state != OPEN, "market orders wait although orders match as they come")
            seen += _check_level(book, side, side.market)
    _require(seen == len(book.orders), f"{len(book.orders)} orders are indexed, but {seen} wait")
    bid, ask = book.bids.best, book.asks.best
    if bid is not None and ask is not None and book.state == OPEN:
        _require(bid.price < ask.price, f"the book is crossed: bid {bid.price}, ask {ask.price}")
    due = {id(order) for entry in book.expiries.heap for order in [entry[2]] if is_current(entry)}
    for order in book.orders.values():
        if order.expire_at is not None:
            _require(order.expire_at > book.now, f"{order!r} rests although it expired at {order.expire_at}")
            _require(id(order) in due, f"{order!r} would never expire")


def _check_side(side: BookSide) -> None:
    name = "bids" if side.sign == BID else "asks"
    _require(all(a < b for a, b in zip(side.keys, side.keys[1:], strict=False)), f"the {name} are not sorted")
    _require(len(side.keys) == len(side.levels), f"the {name} have {len(side.keys)} keys, {len(side.levels)} levels")
    for key, level in side.levels.items():
        _require(key == level.key == level.price * side.sign, f"the {name} keep level {level.price} under key {key}")
    best = side.levels[side.keys[-1]] if side.keys else None
    _require(side.best is best, f"the best level of the {name} is not the one at hand")


def _check_level(book: Ladder, side: BookSide, level: Level) -> int:
    """Check one queue, and give the number of orders in it."""
    quantity = hidden = count = priority = 0
    ahead: Order | None = None
    for order in level:
        _require(order.ahead is ahead and order.level is level, f"{order!r} is wrongly linked")
        _require(book.orders.get(order.id) is order, f"{order!r} is in the book, but the index does not know it")
        _require(_belongs(book, side, level, order), f"{order!r} waits in the wrong place, at {level.price}")
        _require(order.priority > priority, f"{order!r} stands behind a younger order")
        _require(order.remaining > 0, f"{order!r} has nothing left")
        used = order.filled + order.cancelled
        _require(order.quantity == used + order.remaining, f"{order!r} has used {used}, which does not add up")
        ahead, priority = order, order.priority
        shown = order.remaining if order.display_quantity is None else order.shown
        _require(0 <= shown <= order.remaining, f"{order!r} shows {shown}")
        quantity += shown
        hidden += order.remaining - shown
        count += 1
    _require(count > 0, f"level {level.price} is empty")
    _require(level.tail is ahead, f"the last order of level {level.price} is not its tail")
    _require(level.count == count, f"level {level.price} counts {level.count} orders, but holds {count}")
    _require(level.quantity == quantity, f"level {level.price} says {level.quantity} shares, but shows {quantity}")
    _require(level.hidden == hidden, f"level {level.price} says {level.hidden} hidden shares, but hides {hidden}")
    _require(priority < book.next_priority, f"the book would give out priority {book.next_priority} again")
    return count


def _belongs(book: Ladder, side: BookSide, level: Level, order: Order) -> bool:
    """True if `level` of `side` is the queue where `order` has to wait."""
    if order.waits:
        return side is (book.buy_stops if order.side == BID else book.sell_stops) and order.stop_price == level.price
    if side is not (book.bids if order.side == BID else book.asks):
        return False
    if level is side.market:
        return order.type == MARKET
    shows = order.display_quantity is None or order.shown > 0
    return order.price == level.price and order.type in LIMITED and order.tif in RESTING_TIFS and shows


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenBook(otherwise)
