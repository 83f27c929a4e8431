"""Feeds of events that are numbered without gaps: a stock's tape, a broker's own events.

What comes in between is told without a number: what an auction would bring, changed balances. Only the latest of it
counts. Nothing numbered is ever left out or told twice: where one is missing the feed says so, and waits for it.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from live.feeds.feed import Feed, Listener
from live.feeds.message import Batch, Message

RECENT: Final = 256
"""Numbered messages that are kept for whoever comes back."""


class NumberedFeed(Feed):
    """Every member has been told all up to a number of its own, usually the feed's."""

    def __init__(self, name: str, epoch: str, number: int) -> None:
        super().__init__(name, epoch)
        self._number = self._flushed = number
        self._waiting: list[Message] = []
        self.recent: deque[Message] = deque(maxlen=RECENT)
        self.wanted = 0
        """The highest number that it has heard of."""

    @property
    def number(self) -> int:
        """That of the last event that it has."""
        return self._number

    @property
    def has_gap(self) -> bool:
        """Whether it has heard of an event, and lacks one before it."""
        return self.wanted > self._number

    @property
    def is_lagging(self) -> bool:
        """Whether anything waits for the next flush."""
        return bool(self._waiting)

    def snapshot(self) -> dict[str, Any]:
        """Where it stands."""
        return {"epoch": self.epoch, "sequence": self._number}

    def add(self, message: Message) -> None:
        """The next event; one that it has is passed over, and one that comes too early only noted."""
        if message.number is None:
            if not self.has_gap:
                self._waiting.append(message)
            return
        self.wanted = max(self.wanted, message.number)
        if message.number == self._number + 1:
            self._number = message.number
            self._waiting.append(message)
            self.recent.append(message)

    def skip_to(self, number: int) -> None:
        """It stands there now; nobody is told what was before. For feeds without members."""
        self._number = self._flushed = number
        self._waiting.clear()
        self.recent.clear()

    def begin_anew(self, epoch: str, number: int) -> None:
        """The numbers have begun anew: everybody is at this one now, whatever was told before."""
        self.epoch, self.wanted = epoch, 0
        self.skip_to(number)
        self.members = dict.fromkeys(self.members, number)

    def behind(self, number: int) -> list[Message] | None:
        """The events behind a number, up to where it stands; None if they are not all here."""
        if number >= self._number:
            return []
        first = self.recent[0].number if self.recent else None
        if first is None or first > number + 1:
            return None
        return [message for message in self.recent if (message.number or 0) > number]

    def flush(self, written: dict[Listener, None]) -> None:
        """Tell everybody what waits. Whoever leaves too much unread of it is cut off by its own connection."""
        if not self._waiting:
            return
        batch = Batch(tuple(self._waiting))
        self._waiting.clear()
        for listener, place in self.members.items():
            if place == self._flushed:
                listener.put(self.name, batch)
            elif rest := [each for each in batch.messages if each.number is not None and each.number > place]:
                listener.put(self.name, Batch(rest))
            if place < self._number:
                self.members[listener] = self._number
            written[listener] = None
        self._flushed = self._number

    def told(self, listener: Listener) -> int:
        """The number of the last event that a member has."""
        return int(self.members[listener])

    def _here(self) -> int:
        return self._number
