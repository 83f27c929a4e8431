"""Both sides of a book as they stand, what waits beside them, and the moves that keep every sum and index right."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from engine.resting.expiry import ExpiryQueue
from engine.resting.side import BookSide
from engine.terms.events import Cancelled, Event, Expired, Indicative
from engine.terms.order_types import MARKET
from engine.terms.orders import ASK, BID, Order
from engine.terms.rules import LAST, Rules, band_limits
from engine.terms.states import OPEN

NOTHING: Final = Indicative(None, 0, 0)
"""An auction in which nothing would trade."""


class Ladder:
    """The open orders of one stock, with its rules, its state and its time; it changes nothing by itself.

    `orders` holds all of them, by id: those that rest in `bids` and `asks`, the stops that wait in `buy_stops` and
    `sell_stops` (sorted so that the best is the next to be elected), and the market orders that wait for an auction.
    `lowest` and `highest` are the limits in cents, both inclusive, between which a trade may print; `last_price` is the
    price of the last trade, or None. `anchor` is what it was when the command came, which the dynamic band lies around.
    `indicative` is what was last found of an auction; where the book does not tell of each change (`tells_indicative`),
    who feeds it asks when there is time. `watchful` is whether a command may bring more than its own match:
    stops wait, or the book is not open.
    """

    __slots__ = (
        "_reference",
        "anchor",
        "asks",
        "bids",
        "buy_stops",
        "expiries",
        "highest",
        "indicative",
        "last_price",
        "lowest",
        "next_priority",
        "now",
        "orders",
        "rules",
        "sell_stops",
        "state",
        "tells_indicative",
        "watchful",
    )

    def __init__(
        self, rules: Rules, reference: int | None = None, last_price: int | None = None, state: str = OPEN
    ) -> None:
        self.rules = rules
        self.state = state
        self.bids = BookSide(BID)
        self.asks = BookSide(ASK)
        self.reference = reference
        self.last_price = self.anchor = last_price
        self.buy_stops = BookSide(ASK)
        self.sell_stops = BookSide(BID)
        self.indicative = NOTHING
        self.tells_indicative = True
        self.watchful = state != OPEN
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

    def best(self, side: int) -> int | None:
        """The best price of `side` in cents, or None if nobody is there."""
        level = self.side(side).best
        return None if level is None else level.price

    def best_quantity(self, side: int) -> int | None:
        """The shares that show at the best price of `side`, or None if nobody is there."""
        level = self.side(side).best
        return None if level is None else level.quantity

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
        """True if an order of `side` at `price` (cents) could trade at once with one of the other side."""
        opposite = self.asks if side == BID else self.bids
        return opposite.best is not None and opposite.best.key >= price * opposite.sign

    def rest(self, order: Order, price: int) -> None:
        """Put `order` at the back of the queue at `price`; an iceberg that shows nothing yet shows a part."""
        if order.display_quantity is not None and not order.shown:
            order.shown = min(order.display_quantity, order.remaining)
        (self.bids if order.side == BID else self.asks).append(order, price)
        self._enter_index(order)

    def gather(self, order: Order) -> None:
        """Put `order` where it waits: a stop until it is elected, a market order for the auction, others at a price."""
        if not order.waits and order.type != MARKET:
            self.rest(order, order.price or 0)
            return
        self.watchful = True
        if order.waits:
            self._where(order).append(order, order.stop_price or 0)
        else:
            self._where(order).market.append(order)
        self._enter_index(order)

    def _enter_index(self, order: Order) -> None:
        order.priority = self.next_priority
        self.next_priority += 1
        self.orders[order.id] = order
        if order.expire_at is not None:
            self.expiries.push(order, order.expire_at, self.orders)

    def _where(self, order: Order) -> BookSide:
        if order.waits:
            return self.buy_stops if order.side == BID else self.sell_stops
        return self.bids if order.side == BID else self.asks

    def leave(self, order: Order) -> None:
        """Take `order` out of its queue and the index; its quantities stay as they are."""
        level = order.level
        if level is not None:
            self._where(order).remove(order, level)
            del self.orders[order.id]

    def reduce(self, order: Order, quantity: int) -> None:
        """Take `quantity` shares off what remains of `order` without a trade; with nothing left it leaves the book."""
        self._take(order, quantity)
        order.cancelled += quantity

    def fill(self, order: Order, price: int, quantity: int) -> None:
        """Trade `quantity` shares of `order` at `price` (cents); with nothing left it leaves the book."""
        self._take(order, quantity)
        order.filled += quantity
        order.filled_value += price * quantity

    def _take(self, order: Order, quantity: int) -> None:
        level = order.level
        if level is None:
            order.remaining -= quantity
        elif quantity == order.remaining:
            self.leave(order)
            order.remaining = 0
        else:
            level.resize(order, order.remaining - quantity)

    def note_trades(self, first_price: int) -> None:
        """After a match whose first trade was at `first_price` (cents): move the reference, if it is to move."""
        if self.rules.band_reference == LAST:
            self.reference = self.last_price
        elif self._reference is None:
            self.reference = first_price

    def cancel(self, order: Order, quantity: int, reason: str, events: list[Event]) -> None:
        """Take `quantity` shares off `order` for `reason`, one of `engine.terms.codes.REASONS`, and tell."""
        self.reduce(order, quantity)
        events.append(Cancelled(order, quantity, reason))

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
