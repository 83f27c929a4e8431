"""A book as it is shown: its best levels, its numbers, and what makes one of another.

Deltas cover the best fifty levels a side. A level that moves into them is sent whole; one that is pushed out of them by
better ones is not mentioned, for both sides cut at fifty after each delta.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

DEPTH: Final = 50
"""Levels a side."""

CHECKED: Final = 10
"""Levels a side that the checksum covers."""

Level = tuple[int, int]
"""Total quantity (shares) and number of orders."""

Change = list[int]
"""Price (cents), total quantity (shares; 0: the level is gone), number of orders."""


class ShownBook:
    """One state of a stock's book; it never changes."""

    def __init__(self, symbol: str, epoch: str, book: Mapping[str, Any]) -> None:
        """`book`: {book_sequence, sequence, bids, asks}, as `services.market_data.book` has it."""
        self.symbol = symbol
        self.epoch = epoch
        self.book_sequence: int = book["book_sequence"]
        self.sequence: int = book["sequence"]
        self.bids = _levels(book["bids"])
        self.asks = _levels(book["asks"])

    def snapshot(self, depth: int) -> dict[str, Any]:
        """The payload of BOOK_SNAPSHOT with so many levels a side."""
        return {
            "symbol": self.symbol,
            "epoch": self.epoch,
            "book_sequence": self.book_sequence,
            "sequence": self.sequence,
            "depth": depth,
            "bids": _shown(self.bids, depth),
            "asks": _shown(self.asks, depth),
        }

    def delta_from(self, before: ShownBook) -> dict[str, Any]:
        """The payload of BOOK_DELTA that makes this book of `before`, an earlier one of the same epoch."""
        return {
            "symbol": self.symbol,
            "epoch": self.epoch,
            "first": before.book_sequence + 1,
            "last": self.book_sequence,
            "sequence": self.sequence,
            "bids": _changes(before.bids, self.bids, better=1),
            "asks": _changes(before.asks, self.asks, better=-1),
            "checksum": self.checksum,
        }

    @cached_property
    def checksum(self) -> int:
        """CRC32 of the best ten asks from the lowest price, then the best ten bids from the highest; 0 if it is empty.

        Each as `price:total_quantity;` in ASCII.
        """
        best = [*list(self.asks.items())[:CHECKED], *list(self.bids.items())[:CHECKED]]
        return zlib.crc32("".join(f"{price}:{quantity};" for price, (quantity, _) in best).encode())


def _levels(levels: Sequence[Mapping[str, int]]) -> dict[int, Level]:
    """By price, the best first."""
    return {level["price"]: (level["total_quantity"], level["order_count"]) for level in levels[:DEPTH]}


def _shown(levels: Mapping[int, Level], depth: int) -> list[dict[str, int]]:
    best = list(levels.items())[:depth]
    return [{"price": price, "total_quantity": level[0], "order_count": level[1]} for price, level in best]


def _changes(before: Mapping[int, Level], after: Mapping[int, Level], better: int) -> list[Change]:
    """The levels that are others now, and those that are gone; `better`: 1 where higher prices are better, else -1."""
    changes = [[price, *level] for price, level in after.items() if before.get(price) != level]
    worst = [*after][-1] if len(after) >= DEPTH else None
    gone = [price for price in before if price not in after]
    return changes + [[price, 0, 0] for price in gone if worst is None or (price - worst) * better > 0]
