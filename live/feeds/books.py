"""The feed of a stock's book: every change has a number, and every member its own state of the book.

Whoever is slow is not sent what it cannot take: once it can, one delta makes the present book of the one that it has.
"""

from __future__ import annotations

from typing import Any

from live.feeds.feed import Feed, Listener
from live.feeds.message import Batch, Message
from live.feeds.shown_book import DEPTH, ShownBook

LEVELS = 5
"""Levels a side in the snapshot of each second."""


class BookFeed(Feed):
    """Members note the book that they have; None for one that has to be told the whole."""

    def __init__(self, name: str, book: ShownBook, interval: float) -> None:
        """`interval`: seconds between two snapshots for everybody, at least."""
        super().__init__(name, book.epoch)
        self.book = book
        self._interval = interval
        self._shown_at = float("-inf")
        self._shown = book
        self._lagging = False

    @property
    def number(self) -> int:
        """That of the book."""
        return self.book.book_sequence

    @property
    def is_lagging(self) -> bool:
        """Whether somebody has another book."""
        return self._lagging

    def snapshot(self) -> dict[str, Any]:
        """The book as a delta can be applied to it."""
        return self.book.snapshot(DEPTH)

    def show(self, book: ShownBook) -> None:
        """The book is this one now; an older one is passed over."""
        if book.book_sequence > self.book.book_sequence:
            self.book = book
            self._lagging = bool(self.members)

    def begin_anew(self, book: ShownBook) -> None:
        """The numbers have begun anew, or what was shown was not so: everybody is told the whole."""
        self.book = book
        self.epoch = book.epoch
        self._lagging = bool(self.members)
        self.members = dict.fromkeys(self.members)

    def flush(self, written: dict[Listener, None]) -> None:
        """Tell each what makes the present book of its own."""
        if not self._lagging:
            return
        self._lagging = False
        deltas: dict[ShownBook | None, Batch] = {}
        for listener, known in self.members.items():
            if known is self.book:
                continue
            if listener.is_behind:
                self._lagging = True
                continue
            batch = deltas.get(known)
            if batch is None:
                batch = deltas[known] = Batch((self._told(known),))
            listener.put(self.name, batch)
            self.members[listener] = self.book
            written[listener] = None

    def show_top(self, now: float, written: dict[Listener, None]) -> None:
        """The snapshot of each second, if the book has changed since the last one and it is time (seconds)."""
        if self._shown is self.book or not self.members or now - self._shown_at < self._interval:
            return
        self._shown, self._shown_at = self.book, now
        batch = Batch((Message("BOOK_SNAPSHOT", self.book.snapshot(LEVELS), self.number),))
        for listener, known in self.members.items():
            if known is self.book:  # whoever is behind is told by the delta that it gets
                listener.put(self.name, batch)
                written[listener] = None

    def whole(self, *, resync: bool) -> Message:
        """The present book, for one who has none, or another one than is known."""
        payload = self.book.snapshot(DEPTH)
        return Message("BOOK_SNAPSHOT", {**payload, "resync": True} if resync else payload, self.number)

    def _told(self, known: ShownBook | None) -> Message:
        if known is None or known.epoch != self.book.epoch or known.book_sequence >= self.number:
            return self.whole(resync=True)
        return Message("BOOK_DELTA", self.book.delta_from(known), self.number)

    def told(self, listener: Listener) -> int:
        """The number of the book that a member has."""
        known = self.members[listener]
        return self.number if known is None else int(known.book_sequence)

    def _here(self) -> ShownBook:
        return self.book
