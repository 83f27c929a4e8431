"""The order book of one stock: commands in, events out."""

from __future__ import annotations

from collections.abc import Hashable

from engine import codes
from engine.amending import amend
from engine.audit import check
from engine.commands import Amend, Cancel, Clock, Command, New
from engine.entering import new
from engine.events import Cancelled, Event, Rejected
from engine.ladder import Ladder


class Book(Ladder):
    """A book that matches by price-time priority, and tells everything that happened as events.

    It reads no clock: each command brings its time, in microseconds. Given the same commands and times it gives the
    same events, always.

    The book knows the ids of resting orders only. Whoever feeds it sees to it that an id is used once for ever.
    """

    __slots__ = ()

    def apply(self, command: Command, now: int) -> list[Event]:
        """Let time reach `now` (microseconds), which expires what is due, then carry out `command`.

        Time never goes backward: an earlier `now` counts as the latest one seen.
        """
        events: list[Event] = []
        if now < self.now:
            now = self.now
        else:
            self.now = now
        heap = self.expiries.heap
        if heap and heap[0][0] <= now:
            self._expire_due(events)
        if type(command) is New:
            new(self, command.order, events)
        elif type(command) is Cancel:
            self._cancel(command.id, events)
        elif type(command) is Amend:
            amend(self, command, events)
        elif type(command) is not Clock:
            raise TypeError(f"not a command: {command!r}")
        return events

    def check(self) -> None:
        """Verify everything that must always hold; raises `BrokenBook` naming what does not."""
        check(self)

    def _cancel(self, id: Hashable, events: list[Event]) -> None:
        order = self.orders.get(id)
        if order is None:
            events.append(Rejected(id, codes.UNKNOWN_ORDER))
            return
        quantity = order.remaining
        self.reduce(order, quantity)
        events.append(Cancelled(order, quantity, codes.REQUESTED))

    def _expire_due(self, events: list[Event]) -> None:
        while (order := self.expiries.pop_due(self.now)) is not None:
            self.expire(order, events)
