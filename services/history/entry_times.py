"""When orders got their places in time.

The book numbers the places as it gives them, so one list of the numbers with which commands began has all of it.
"""

from bisect import bisect_right
from collections.abc import Hashable, Mapping
from typing import Final

from engine.book import Book
from engine.terms.orders import Order

SLACK: Final = 1_000
"""Commands: below this what is known is not worth tidying."""


class EntryTimes:
    """Of the orders in one book, while commands are carried out on it."""

    def __init__(self, book: Book, known: Mapping[Hashable, int]) -> None:
        """`known`: of the orders that are in the book already, by id, in microseconds."""
        self._book = book
        self._known = known
        self._first = book.next_priority
        self._priorities: list[int] = []
        self._times: list[int] = []

    def note(self, now: int) -> None:
        """The next command of the book is carried out at `now` (microseconds)."""
        following = self._book.next_priority
        if self._priorities and self._priorities[-1] == following:
            self._times[-1] = now  # the one before gave no places
            return
        if len(self._priorities) > 2 * len(self._book.orders) + SLACK:
            self._tidy()
        self._priorities.append(following)
        self._times.append(now)

    def of(self, order: Order) -> int | None:
        """When `order`, which is in the book, got its place (microseconds); None where nobody knows any more."""
        if order.priority < self._first:
            return self._known.get(order.id)
        return self._times[bisect_right(self._priorities, order.priority) - 1]

    def _tidy(self) -> None:
        """Keep only what is of orders that are in the book: a journal may be larger than memory."""
        times = {order.id: self.of(order) for order in self._book.orders.values()}
        self._known = {id: time for id, time in times.items() if time is not None}
        self._first = self._book.next_priority
        self._priorities.clear()
        self._times.clear()
