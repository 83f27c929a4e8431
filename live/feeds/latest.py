"""Feeds of which only the latest counts: prices by stock, candles by their beginning. Whoever is slow misses some."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import Any, Final

from live.feeds.feed import Feed, Listener
from live.feeds.message import Batch, Message
from services.timestamps import microseconds

Payload = dict[str, Any]

MOST_CANDLES: Final = 200
"""Candles of one channel that are remembered: the running one, some before it, and those corrected of late."""


class LatestFeed(Feed):
    """Members note how many messages there had been when they were brought up to date."""

    most: float = math.inf
    """Things that are remembered; of more, the one that was told longest ago is forgotten."""

    def __init__(
        self, name: str, epoch: str, event: str, key_of: Callable[[Payload], Hashable], payloads: Iterable[Payload]
    ) -> None:
        """`key_of` says of which thing a payload is the latest; `payloads` are those of now."""
        super().__init__(name, epoch)
        self._event = event
        self._key_of = key_of
        self._number = 0
        self._count = 0
        self._latest: dict[Hashable, tuple[int, Message]] = {}
        """The message of each thing with its place among all messages; the latest at the end."""
        self._lagging = False
        for payload in payloads:
            self.add(payload)

    @property
    def number(self) -> int:
        """The highest number of what it knows."""
        return self._number

    @abstractmethod
    def _number_of(self, payload: Payload) -> int:
        """Where the feed stands with this."""

    @property
    def is_lagging(self) -> bool:
        """Whether somebody does not have the latest of everything."""
        return self._lagging

    def add(self, payload: Payload) -> None:
        """The latest of one thing; one that is older than what is known, by its sequence, is passed over."""
        key, number = self._key_of(payload), payload["sequence"]
        known = self._latest.pop(key, None)
        if known is not None and known[1].payload["sequence"] > number:
            payload = known[1].payload
        self._count += 1
        self._number = max(self._number, self._number_of(payload))
        self._latest[key] = self._count, Message(self._event, payload, self._number)
        if len(self._latest) > self.most:
            del self._latest[next(iter(self._latest))]
        self._lagging = bool(self.members)

    def begin_anew(self, epoch: str) -> None:
        """Nothing is known any more, of whichever epoch it was."""
        self.epoch = epoch
        self._latest.clear()
        self._number = 0

    def differs(self, payload: Payload) -> bool:
        """Whether this is news: not what is known of its thing."""
        known = self._latest.get(self._key_of(payload))
        return known is None or known[1].payload != payload

    def payloads(self) -> list[Payload]:
        """All that is known, the latest at the end."""
        return [message.payload for _, message in self._latest.values()]

    def messages(self) -> list[Message]:
        """The same as messages."""
        return [message for _, message in self._latest.values()]

    def flush(self, written: dict[Listener, None]) -> None:
        """Tell each what it has not been told the latest of."""
        if not self._lagging:
            return
        self._lagging = False
        batches: dict[int, Batch] = {}
        for listener, (place, _) in self.members.items():
            if place == self._count:
                continue
            if listener.is_behind:
                self._lagging = True
                continue
            batch = batches.get(place)
            if batch is None:
                batch = batches[place] = Batch(self._behind(place))
            listener.put(self.name, batch)
            self.members[listener] = self._here()
            written[listener] = None

    def _behind(self, place: int) -> list[Message]:
        found = []
        for count, message in reversed(self._latest.values()):
            if count <= place:
                break
            found.append(message)
        return found[::-1]

    def told(self, listener: Listener) -> int:
        """The feed's number when a member was told last."""
        return int(self.members[listener][1])

    def _here(self) -> tuple[int, int]:
        return self._count, self.number


class PricesFeed(LatestFeed):
    """The prices of all stocks. Its number is the time of the latest of them, in microseconds since 1970."""

    def __init__(self, epoch: str, payloads: Iterable[Payload]) -> None:
        super().__init__("prices", epoch, "PRICE", lambda payload: payload["symbol"], payloads)

    def snapshot(self) -> Payload:
        """All prices, by symbol."""
        return {"epoch": self.epoch, "items": sorted(self.payloads(), key=lambda payload: str(payload["symbol"]))}

    def _number_of(self, payload: Payload) -> int:
        return microseconds(datetime.fromisoformat(payload["at"]))


class CandlesFeed(LatestFeed):
    """The candles of one stock and interval. Its number is how far the tape is in them."""

    most = MOST_CANDLES

    def __init__(self, name: str, epoch: str, sequence: int, payloads: Iterable[Payload]) -> None:
        super().__init__(name, epoch, "CANDLE", lambda payload: payload["start"], payloads)
        self._number = max(self._number, sequence)

    def snapshot(self) -> Payload:
        """The last candle, which is the running one if there has been a trade in its time; null if there is none."""
        there = [payload for payload in self.payloads() if not payload.get("removed")]
        last = max(there, key=lambda payload: str(payload["start"]), default=None)
        return {"epoch": self.epoch, "sequence": self._number, "candle": last}

    def _number_of(self, payload: Payload) -> int:
        return int(payload["sequence"])
