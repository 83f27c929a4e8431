"""The queues of a book while one command is carried out, event by event.

The engine tells what happened when all of it is done, and by then its orders show what they came to. Who met whom is
found by going along with the events, from a copy of how the orders stood before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from engine.book import Book
from engine.terms.events import (
    Accepted,
    Amended,
    AuctionTrade,
    Cancelled,
    Event,
    Expired,
    StateChanged,
    Trade,
    Triggered,
)
from engine.terms.order_types import LIMITED, MARKET, RESTING_TIFS, STOPS
from engine.terms.orders import Order
from engine.terms.states import OPEN
from services.history.entry_times import EntryTimes
from services.history.pacing import paced


@dataclass(slots=True)
class Place:
    """Where an order stands: at `price` (cents; None: a market order's, which waits for an auction).

    `shown` and `remaining` are shares, `since` is microseconds or None; later places have a larger `number`.
    """

    order: Order
    price: int | None
    shown: int
    remaining: int
    since: int | None
    number: int

    def take(self, quantity: int) -> None:
        """So many shares leave; of an iceberg what is hidden goes first."""
        self.remaining -= quantity
        self.shown = min(self.shown, self.remaining)


class Queues:
    """Where all orders of a book stand, and which of them is the incoming one."""

    def __init__(self, book: Book, entered: EntryTimes, now: int, pause: Callable[[], None] = lambda: None) -> None:
        """As they stand in `book` before a command of the time `now` (microseconds).

        `pause` is called now and then: others may go first.
        """
        self.now = now
        self._pause = pause
        self.incoming: Order | None = None
        self.places: dict[Hashable, Place] = {}
        self._left = {id: order.remaining for id, order in book.orders.items()}
        """What remains of each order, wherever it is."""
        self._waiting: set[Hashable] = set()
        """Stops that have not been elected."""
        self._left_over: Iterator[Order] = iter(())
        """Market orders that an auction has left, which come one after the other."""
        for order in paced(book.orders.values(), pause):
            if order.waits:
                self._waiting.add(order.id)
                continue
            price = None if order.type == MARKET else order.price
            shown = order.remaining if order.display_quantity is None else order.shown
            self.places[order.id] = Place(order, price, shown, order.remaining, entered.of(order), order.priority)
        self.next_number = book.next_priority

    def take(self, event: Event) -> None:
        """What an event of the command has changed."""
        match event:
            case Accepted(order=order) | Amended(order=order) | Triggered(order=order):
                self._enter(order, event)
            case AuctionTrade(maker=maker, taker=taker, quantity=quantity):
                self._reduce(maker, quantity)
                self._reduce(taker, quantity)
            case Trade(maker=maker, taker=taker, quantity=quantity):
                self._fill(maker, quantity)
                self._left[taker.id] -= quantity
            case Cancelled(order=order, quantity=quantity) | Expired(order=order, quantity=quantity):
                self._reduce(order, quantity)
            case StateChanged(state=state):
                self._left_over = iter(self._market_orders() if state == OPEN else ())
                self.incoming, came_last = None, self.incoming
                self._rest(came_last)
        if self.incoming is None or not self._left[self.incoming.id]:
            self._next_left_over()

    def end(self) -> None:
        """After the last event: what is left of the incoming order rests."""
        self._rest(self.incoming)
        self.incoming = None

    def of_side(self, side: int) -> Iterable[Place]:
        """The places on this side that are at a price or wait for an auction."""
        return (place for place in paced(self.places.values(), self._pause) if place.order.side == side)

    def _enter(self, order: Order, event: Accepted | Amended | Triggered) -> None:
        """A new order, one that is amended, or a stop that was elected: nearly always it is matched now."""
        match event:
            case Accepted():
                self._left[order.id] = order.quantity
                if order.type in STOPS:
                    self._waiting.add(order.id)
            case Amended(kept_priority=kept, remaining=remaining):
                self._reduce(order, self._left[order.id] - remaining)
                if kept:
                    return
            case Triggered():
                self._waiting.discard(order.id)
        self._comes(order)

    def _comes(self, order: Order) -> None:
        if self.incoming is not order:
            self._rest(self.incoming)
            self.incoming = order
        self.places.pop(order.id, None)

    def _rest(self, order: Order | None) -> None:
        """What is left of the order that came last joins its queue, if it may."""
        if order is None or order.id in self._waiting or order.id in self.places:
            return
        left = self._left[order.id]
        if left and order.type in LIMITED and order.tif in RESTING_TIFS:
            shown = left if order.display_quantity is None else min(order.display_quantity, left)
            self.places[order.id] = Place(order, order.price, shown, left, self.now, self._number())

    def _fill(self, order: Order, quantity: int) -> None:
        """A resting order trades; an iceberg that shows nothing any more shows a new part, at the back."""
        place = self.places[order.id]
        self._left[order.id] -= quantity
        if order.display_quantity is None or place.shown == place.remaining:
            place.take(quantity)
        else:
            place.remaining -= quantity
            place.shown -= quantity
            if not place.shown:
                shown = min(order.display_quantity, place.remaining)
                self.places[order.id] = Place(order, place.price, shown, place.remaining, self.now, self._number())
        if not place.remaining:
            del self.places[order.id]

    def _reduce(self, order: Order, quantity: int) -> None:
        self._left[order.id] -= quantity
        place = self.places.get(order.id)
        if place is not None:
            place.take(quantity)
            if not place.remaining:
                del self.places[order.id]

    def _market_orders(self) -> list[Order]:
        waiting = [place for place in self.places.values() if place.price is None]
        return [place.order for place in sorted(waiting, key=lambda place: place.number)]

    def _next_left_over(self) -> None:
        order = next(self._left_over, None)
        if order is not None:
            self._comes(order)

    def _number(self) -> int:
        self.next_number += 1
        return self.next_number - 1
