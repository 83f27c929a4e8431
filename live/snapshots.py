"""At most one BOOK_SNAPSHOT a stock in a given time, the first at once and the last never missing."""

from collections.abc import Iterable
from typing import Any

LEVELS = 5
"""Levels a side in a snapshot."""

NUMBERS = ("book_sequence", "sequence")
"""The book's own number, and that of the stock's tape at the same moment."""


class Throttle:
    """Decides when a changed book is due; times in seconds of any steady clock."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._sent_at: dict[str, float] = {}
        self._changed: set[str] = set()

    def change(self, symbols: Iterable[str]) -> None:
        """These books changed."""
        self._changed.update(symbols)

    def due(self, now: float) -> list[str]:
        """The changed books whose turn it is at `now`; they count as sent."""
        never = -self.interval
        ready = sorted(symbol for symbol in self._changed if now - self._sent_at.get(symbol, never) >= self.interval)
        for symbol in ready:
            self._sent_at[symbol] = now
        self._changed.difference_update(ready)
        return ready


def top_of(snapshot: dict[str, Any]) -> dict[str, Any]:
    """The payload of BOOK_SNAPSHOT: the numbers that the snapshot has, and its best five levels a side."""
    numbers = {name: snapshot[name] for name in NUMBERS if name in snapshot}
    return {
        "symbol": snapshot["symbol"],
        **numbers,
        "bids": snapshot["bids"][:LEVELS],
        "asks": snapshot["asks"][:LEVELS],
    }
