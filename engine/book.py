"""The order book of one stock: commands in, events out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from engine.resting.audit import check
from engine.resting.ladder import NOTHING, Ladder
from engine.terms import codes
from engine.terms.commands import Amend, Cancel, Clock, Close, Command, Correct, New, Roll, State, Uncross
from engine.terms.events import Corrected, Event, Rejected
from engine.terms.order_types import LIMITED, MARKET, RESTING_TIFS
from engine.terms.orders import Order
from engine.terms.rules import LAST
from engine.terms.states import AUCTION, OPEN
from engine.trading.amending import amend
from engine.trading.auction import equilibrium
from engine.trading.closing import close
from engine.trading.election import elect
from engine.trading.entering import new
from engine.trading.state_changes import change_state, end_auction, end_session


class Book(Ladder):
    """A book that matches by price-time priority, and tells everything that happened as events.

    It reads no clock: each command brings its time, in microseconds. Given the same commands and times it gives the
    same events, always.

    The book knows the ids of resting orders only. Whoever feeds it sees to it that an id is used once for ever.
    """

    __slots__ = ()

    def apply(self, command: Command, now: int) -> list[Event]:
        """Let time reach `now` (microseconds), which expires what is due, then carry out `command`.

        Time never goes backward: an earlier `now` counts as the latest one seen. For a correction it stands still.
        """
        if type(command) is Correct:
            return self._correct(command.last_price)
        events: list[Event] = []
        self.anchor = self.last_price
        if now > self.now:
            self.now = now
            heap = self.expiries.heap
            if heap and heap[0][0] <= now:
                self._expire_due(events)
        if type(command) is New:
            new(self, command.order, events)
        elif type(command) is Cancel:
            self._cancel_by_id(command.id, command.reason, events)
        elif type(command) is Amend:
            amend(self, command, events)
        elif type(command) is Close:
            close(self, command, events)
        elif type(command) is not Clock:
            self._run_market(command, events)
        if self.watchful:
            self._watch(events)
        return events

    def _watch(self, events: list[Event]) -> None:
        """After a command and its match: elect stops, and tell what an auction would bring where that changed."""
        elect(self, events)
        if self.tells_indicative and self.renew_indicative() and self.state == AUCTION:
            events.append(self.indicative)
        self.watchful = bool(self.state != OPEN or self.buy_stops.best or self.sell_stops.best)

    def renew_indicative(self) -> bool:
        """Find out what an auction would bring now; True if that has changed. Walks the whole book."""
        if self.state != AUCTION and self.indicative is NOTHING:
            return False
        found = equilibrium(self) if self.state == AUCTION else NOTHING
        changed = found != self.indicative
        self.indicative = found
        return changed

    def check(self) -> None:
        """Verify everything that must always hold; raises `BrokenBook` naming what does not."""
        check(self)

    def _run_market(self, command: Command, events: list[Event]) -> None:
        """Carry out a command of operators or of the session's schedule."""
        if type(command) is State:
            change_state(self, command, events)
        elif type(command) is Uncross:
            end_auction(self, events)
        elif type(command) is Roll:
            end_session(self, events)
        else:
            raise TypeError(f"not a command: {command!r}")

    def _correct(self, last_price: int | None) -> list[Event]:
        self.last_price = last_price
        if self.rules.band_reference == LAST:
            self.reference = last_price
        return [Corrected(last_price)]

    def _cancel_by_id(self, id: Hashable, reason: str, events: list[Event]) -> None:
        order = self.orders.get(id)
        if order is None:
            events.append(Rejected(id, codes.UNKNOWN_ORDER))
            return
        self.cancel(order, order.remaining, reason, events)

    def _expire_due(self, events: list[Event]) -> None:
        while (order := self.expiries.pop_due(self.now)) is not None:
            self.expire(order, events)

    def restore(self, orders: Iterable[Order]) -> None:
        """Fill an empty book with open orders, given in priority order with the priorities they had.

        From here on the book behaves as the one they were taken from; of an auction nothing is told again.
        Raises ValueError if the orders are not in priority order, or one cannot rest.
        """
        for order in orders:
            if order.priority < self.next_priority:
                raise ValueError(f"order {order.id!r} is not in priority order")
            if order.id in self.orders or order.remaining <= 0 or not self._may_wait(order):
                raise ValueError(f"order {order.id!r} cannot rest in this book")
            self.next_priority = order.priority
            self.gather(order)
        if self.state == AUCTION:
            self.indicative = equilibrium(self)

    def _may_wait(self, order: Order) -> bool:
        if order.waits:
            return order.stop_price is not None
        if order.type == MARKET:
            return self.state != OPEN
        return order.price is not None and order.type in LIMITED and order.tif in RESTING_TIFS
