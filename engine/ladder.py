"""Both sides of a book as they stand, and the moves that keep every sum and index right."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from engine.events import Event, Expired
from engine.expiry import ExpiryQueue
from engine.orders import ASK, BID, LIMIT, RESTING_TIFS, Order
from engine.rules import Rules, band_limits
from engine.side import BookSide


class Ladder:
    """The resting orders of one stock, with its rules and its time; it changes nothing by itself.

    `orders` holds the orders that rest, by id; `lowest` and `highest` are the limits in cents, both inclusive, between
    which a trade may print; `last_price` is the price of the last trade, or None.
    """

    __slots__ = (
        "_reference",
        "asks",
        "bids",
        "expiries",
        "highest",
        "last_price",
        "lowest",
        "next_priority",
        "now",
        "orders",
        "rules",
    )

    def __init__(self, rules: Rules, reference: int | None = None, last_price: int | None = None) -> None:
        self.rules = rules
        self.bids = BookSide(BID)
        self.asks = BookSide(ASK)
        self.reference = reference
        self.last_price = last_price
        self.orders: dict[Hashable, Order] = {}
        self.expiries = ExpiryQueue()
        self.next_priority = 1
        self.now = 0

    @property
    def reference(self) -> int | None:
        """The session reference price in cents, around which the band lies; None until the first trade sets it."""
        return self._reference

    @reference.setter
    def reference(self, price: int | None) -> None:
        self._reference = price
        self.lowest, self.highest = band_limits(price, self.rules.band_bps, self.rules.tick)
        self.bids.outermost, self.asks.outermost = self.highest, -self.lowest

    def restore(self, orders: Iterable[Order]) -> None:
        """Fill an empty book with open orders, given in priority order with the priorities they had.

        From here on the book behaves as the one they were taken from. Raises ValueError if the orders are not in
        priority order, or one cannot rest.
        """
        for order in orders:
            if order.priority < self.next_priority:
                raise ValueError(f"order {order.id!r} is not in priority order")
            may_rest = order.type == LIMIT and order.tif in RESTING_TIFS and order.remaining > 0
            if order.id in self.orders or order.price is None or not may_rest:
                raise ValueError(f"order {order.id!r} cannot rest in this book")
            self.next_priority = order.priority
            self.rest(order, order.price)

    def best(self, side: int) -> int | None:
        """The best price of `side` in cents, or None if nobody is there."""
        level = self.side(side).best
        return None if level is None else level.price

    def depth(self, side: int, levels: int) -> list[tuple[int, int, int]]:
        """The best `levels` levels of `side`, best first: (price in cents, total quantity in shares, orders)."""
        book_side = self.side(side)
        by_key = book_side.levels
        best_keys = book_side.keys[: -levels - 1 : -1]
        return [(level.price, level.quantity, level.count) for level in map(by_key.__getitem__, best_keys)]

    def queue(self, side: int) -> list[Order]:
        """Every resting order of `side` in the order in which they would trade."""
        return [order for level in self.side(side) for order in level]

    def side(self, side: int) -> BookSide:
        """The bids for `BID`, the asks for `ASK`."""
        return self.bids if side == BID else self.asks

    def meets(self, side: int, price: int) -> bool:
        """Whether an order of `side` at `price` would meet one of the other side."""
        opposite = self.asks if side == BID else self.bids
        return opposite.best is not None and opposite.best.key >= price * opposite.sign

    def rest(self, order: Order, price: int) -> None:
        """Put `order` at the back of the queue at `price`."""
        order.priority = self.next_priority
        self.next_priority += 1
        self.orders[order.id] = order
        (self.bids if order.side == BID else self.asks).append(order, price)
        if order.expire_at is not None:
            self.expiries.push(order, order.expire_at, self.orders)

    def leave(self, order: Order) -> None:
        """Take `order` out of its queue and the index; its quantities stay as they are."""
        level = order.level
        if level is not None:
            (self.bids if order.side == BID else self.asks).remove(order, level)
            del self.orders[order.id]

    def reduce(self, order: Order, quantity: int) -> None:
        """Take `quantity` shares off what remains of `order` without a trade; with nothing left it leaves the book."""
        level = order.level
        if level is not None:
            if quantity == order.remaining:
                self.leave(order)
            else:
                level.quantity -= quantity
        order.remaining -= quantity
        order.cancelled += quantity

    def expire(self, order: Order, events: list[Event]) -> None:
        """Close `order` because its time is over."""
        quantity = order.remaining
        self.reduce(order, quantity)
        events.append(Expired(order, quantity))

    def set_expiry(self, order: Order, expire_at: int | None, events: list[Event]) -> None:
        """Have `order`, which rests, expire at `expire_at` (microseconds; None: never), at once if that is over."""
        order.expire_at = expire_at
        if expire_at is None:
            return
        if expire_at <= self.now:
            self.expire(order, events)
            return
        self.expiries.push(order, expire_at, self.orders)
