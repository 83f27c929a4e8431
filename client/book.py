"""A book as the exchange has it, kept up by deltas and checked by their numbers and checksums."""

from __future__ import annotations

import threading
import zlib
from typing import Any, Final

DEPTH: Final = 50
"""Levels a side that deltas tell of."""

CHECKED: Final = 10
"""Levels a side that a checksum is of."""


class OutOfStep(Exception):
    """What came does not follow what was known; whoever follows the stream begins anew."""


class BookMirror:
    """The best fifty levels a side of one stock.

    Feed it with the events of the channel `book:<symbol>`, as `Follower` does. Several threads may look at it.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.channel = f"book:{symbol}"
        self.book_sequence: int | None = None
        """The number of the book; None as long as nothing is known."""
        self._sides: dict[str, dict[int, tuple[int, int]]] = {"bids": {}, "asks": {}}
        self._lock = threading.Lock()

    def bids(self, depth: int = DEPTH) -> list[tuple[int, int, int]]:
        """(price, shares, orders) of the best levels, the highest price first."""
        return self._levels("bids", depth)

    def asks(self, depth: int = DEPTH) -> list[tuple[int, int, int]]:
        """The same of asks, the lowest price first."""
        return self._levels("asks", depth)

    @property
    def best_bid(self) -> int | None:
        """The highest price that somebody bids, in cents."""
        return next((price for price, *_ in self.bids(1)), None)

    @property
    def best_ask(self) -> int | None:
        """The lowest price that somebody asks for, in cents."""
        return next((price for price, *_ in self.asks(1)), None)

    @property
    def is_ready(self) -> bool:
        """Whether it knows the book."""
        return self.book_sequence is not None

    def take(self, name: str, payload: dict[str, Any]) -> None:
        """Heed one event; those of other books and of other channels change nothing. Raises OutOfStep."""
        if name == "RESET":
            self.forget()
        elif name == "HEARTBEAT":
            self._compare(payload["channels"].get(self.channel))
        elif payload.get("symbol") != self.symbol:
            return
        elif name == "BOOK_SNAPSHOT" and payload["depth"] == DEPTH:
            self._begin(payload)
        elif name == "BOOK_DELTA":
            self._change(payload)

    def forget(self) -> None:
        """Know nothing any more."""
        with self._lock:
            self.book_sequence = None
            self._sides = {"bids": {}, "asks": {}}

    def _levels(self, side: str, depth: int) -> list[tuple[int, int, int]]:
        with self._lock:
            return [(price, *level) for price, level in list(self._sides[side].items())[:depth]]

    def _begin(self, snapshot: dict[str, Any]) -> None:
        with self._lock:
            self.book_sequence = snapshot["book_sequence"]
            self._sides = {
                side: {level["price"]: (level["total_quantity"], level["order_count"]) for level in snapshot[side]}
                for side in ("bids", "asks")
            }

    def _change(self, delta: dict[str, Any]) -> None:
        with self._lock:
            if self.book_sequence is None or delta["first"] != self.book_sequence + 1:
                raise OutOfStep(f"{self.channel} goes from {self.book_sequence} to {delta['first']}")
            sides = {side: _changed(self._sides[side], delta[side], side) for side in ("bids", "asks")}
            if checksum(sides["bids"], sides["asks"]) != delta["checksum"]:
                raise OutOfStep(f"{self.channel} is another book at {delta['last']}")
            self._sides, self.book_sequence = sides, delta["last"]

    def _compare(self, number: int | None) -> None:
        if number is not None and self.book_sequence is not None and number != self.book_sequence:
            raise OutOfStep(f"{self.channel} is at {number}, not {self.book_sequence}")


def checksum(bids: dict[int, tuple[int, int]], asks: dict[int, tuple[int, int]]) -> int:
    """CRC32 of the best ten asks, then the best ten bids; 0 of an empty book."""
    best = [*list(asks.items())[:CHECKED], *list(bids.items())[:CHECKED]]
    return zlib.crc32("".join(f"{price}:{level[0]};" for price, level in best).encode())


def _changed(known: dict[int, tuple[int, int]], changes: list[list[int]], side: str) -> dict[int, tuple[int, int]]:
    levels = known | {price: (quantity, orders) for price, quantity, orders in changes}
    there = sorted(((price, level) for price, level in levels.items() if level[0]), reverse=side == "bids")
    return dict(there[:DEPTH])
