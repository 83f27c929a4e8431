"""What all feeds have in common: members, and a number that says where it stands."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, Protocol

from live.feeds.message import Batch


class Listener(Protocol):
    """One client, however it is connected."""

    feeds: dict[str, Feed]
    """What it follows, by the feeds' names."""
    beaten_at: float
    """When it was told last where its channels stand, on a steady clock."""

    @property
    def is_behind(self) -> bool:
        """Whether it has not taken yet what it was sent: then what can be put together waits until it has."""
        ...

    def put(self, channel: str, batch: Batch) -> None:
        """Let messages of one of its channels wait for the next `flush`."""
        ...

    def flush(self) -> None:
        """Send what waits; never blocks."""
        ...


class Feed(ABC):
    """One channel. All of it happens between two switches of greenlets, so nothing ever comes in between."""

    def __init__(self, name: str, epoch: str) -> None:
        self.name = name
        self.epoch = epoch
        self.members: dict[Listener, Any] = {}
        """Each with how far it has been brought, as the kind of feed notes it."""
        self.left_alone_at = time.monotonic()
        """Since when it has had no members."""

    @property
    @abstractmethod
    def number(self) -> int:
        """Where it stands; it never goes back within an epoch."""

    @abstractmethod
    def snapshot(self) -> dict[str, Any]:
        """All that it has to tell, as the acknowledgement of `subscribe` says it."""

    @abstractmethod
    def flush(self, written: dict[Listener, None]) -> None:
        """Bring all members up to where it stands, but those who are behind; `written` gets who is to be flushed."""

    @property
    @abstractmethod
    def is_lagging(self) -> bool:
        """Whether a member is not where the feed is."""

    def join(self, listener: Listener, place: Any = None) -> None:
        """One more member, that is where the feed is, or at `place`."""
        listener.feeds[self.name] = self
        self.members[listener] = self._here() if place is None else place

    def leave(self, listener: Listener) -> None:
        """It follows no more."""
        listener.feeds.pop(self.name, None)
        if self.members.pop(listener, self) is not self and not self.members:
            self.left_alone_at = time.monotonic()

    @abstractmethod
    def told(self, listener: Listener) -> int:
        """The number up to which a member has been told."""

    @abstractmethod
    def _here(self) -> Any:
        """Where it stands, as members note it."""
