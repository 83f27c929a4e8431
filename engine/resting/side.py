"""One side of the book. Bids and asks are the same code; only the sign differs."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from engine.terms.orders import Level, Order
from engine.terms.rules import NO_LIMIT


class BookSide:
    """The price levels of one side, best one at hand.

    A level's key is price × side, so the best key is the greatest on both sides: the last of a sorted list. A level
    near the best, where most of the trading is, opens and closes at the cheap end of that list. `outermost` is the
    key of the band's near end: nothing keyed beyond it may trade at its own price. `market` is the queue of market
    orders that wait for an auction; it comes before every level, and is none of them: its key and price mean nothing.
    """

    __slots__ = ("best", "keys", "levels", "market", "outermost", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}
        self.best: Level | None = None
        self.market = Level(0, 0)
        self.outermost = NO_LIMIT

    def append(self, order: Order, price: int) -> None:
        """Put `order` at the back of the queue at `price`."""
        key = price * self.sign
        level = self.levels.get(key)
        if level is None:
            self.levels[key] = level = Level(key, price)
            best = self.best
            if best is None or key > best.key:
                self.keys.append(key)
                self.best = level
            else:
                insort(self.keys, key)
        level.append(order)

    def remove(self, order: Order, level: Level) -> None:
        """Take `order` out of its `level`, and the level out of the side if it was the last."""
        level.remove(order)
        if level.head is None and level is not self.market:
            if level is self.best:
                self.remove_best()
            else:
                del self.keys[bisect_left(self.keys, level.key)]
                del self.levels[level.key]

    def remove_best(self) -> None:
        """Drop the best level, which has become empty; the next one is the best."""
        keys, levels = self.keys, self.levels
        del levels[keys.pop()]
        self.best = levels[keys[-1]] if keys else None

    def __iter__(self) -> Iterator[Level]:
        """The levels, best first."""
        for key in reversed(self.keys):
            yield self.levels[key]
