"""What must hold in a book after every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.expiry import is_current
from engine.orders import BID, RESTING_TIFS

if TYPE_CHECKING:
    from engine.ladder import Ladder
    from engine.orders import Level, Order
    from engine.side import BookSide


class BrokenBook(Exception):
    """The book contradicts itself; the message names the side, level or order, and what is wrong."""


def check(book: Ladder) -> None:
    """Raise `BrokenBook` unless the book is uncrossed, sorted, linked, summed, indexed and in time priority.

    Walks the whole book; meant for tests and `minex verify`, not for every command.
    """
    seen = 0
    for side in (book.bids, book.asks):
        _check_side(side)
        for level in side:
            seen += _check_level(book, side, level)
    _require(seen == len(book.orders), f"{len(book.orders)} orders are indexed, but {seen} rest")
    bid, ask = book.bids.best, book.asks.best
    if bid is not None and ask is not None:
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
    quantity = count = priority = 0
    ahead: Order | None = None
    for order in level:
        _require(order.ahead is ahead and order.level is level, f"{order!r} is wrongly linked")
        _require(book.orders.get(order.id) is order, f"{order!r} rests, but the index does not know it")
        _require(order.side == side.sign and order.price == level.price, f"{order!r} rests at {level.price}")
        _require(order.priority > priority, f"{order!r} stands behind a younger order")
        _require(order.remaining > 0 and order.type == "limit" and order.tif in RESTING_TIFS, f"{order!r} may not rest")
        used = order.filled + order.cancelled
        _require(order.quantity == used + order.remaining, f"{order!r} has used {used}, which does not add up")
        ahead, priority = order, order.priority
        quantity += order.remaining
        count += 1
    _require(count > 0, f"level {level.price} is empty")
    _require(level.tail is ahead, f"the last order of level {level.price} is not its tail")
    _require(level.count == count, f"level {level.price} counts {level.count} orders, but holds {count}")
    _require(level.quantity == quantity, f"level {level.price} says {level.quantity} shares, but holds {quantity}")
    _require(priority < book.next_priority, f"the book would give out priority {book.next_priority} again")
    return count


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenBook(otherwise)
