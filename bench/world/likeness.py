"""What a market looks like in figures that have no scale: how arrivals cluster, spreads, depth, volatility, sizes.

The same figures of a real stock and of the simulated one say how like each other they are.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Final

from bench.world.paper_market import Happening, PaperMarket

BASIS_POINTS: Final = 10_000
WINDOWS: Final = (0.1, 0.3, 1, 3, 10, 30, 60)
"""Seconds in which arrivals are counted."""
HORIZONS: Final = (1, 3, 10, 30, 60, 180, 300)
"""Seconds over which returns are taken."""
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The best prices at one moment: cents, and the shares at them."""

    bid: int
    ask: int
    depth: tuple[int, int]

    @property
    def middle(self) -> float:
        """Between the two, in cents."""
        return (self.bid + self.ask) / 2

    @property
    def spread_bps(self) -> float:
        """How far apart the two are, in basis points."""
        return (self.ask - self.bid) / self.middle * BASIS_POINTS


@dataclass(frozen=True)
class Likeness:
    """A market as it was: all that happened, in its order, and a glimpse each second."""

    happened: Sequence[Happening]
    glimpses: Sequence[Glimpse]

    def rate(self) -> float:
        """Happenings a second."""
        return len(self.happened) / (self.happened[-1].at - self.happened[0].at)

    def shares_of(self, kind: str) -> float:
        """The part of all that happened which was of this kind."""
        return sum(1 for one in self.happened if one.kind == kind) / len(self.happened)

    def gaps(self) -> list[float]:
        """The times between two happenings, by their mean, sorted."""
        times = [one.at for one in self.happened]
        gaps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
        mean = fmean(gaps)
        return [gap / mean for gap in gaps]

    def dispersion(self, seconds: float) -> float:
        """The variance of counts in windows of so many seconds, by their mean: 1 where nothing brings others about."""
        start, end = self.happened[0].at, self.happened[-1].at
        counts = Counter(int((one.at - start) / seconds) for one in self.happened)
        windows = [counts.get(number, 0) for number in range(max(int((end - start) / seconds), 1))]
        mean = fmean(windows)
        return fmean((count - mean) ** 2 for count in windows) / mean

    def returns(self, seconds: int) -> list[float]:
        """Returns of the middle over so many seconds, one after the other, in basis points."""
        middles = [one.middle for one in self.glimpses[::seconds]]
        return [math.log(after / before) * BASIS_POINTS for before, after in itertools.pairwise(middles)]

    def volatility(self, seconds: int) -> float:
        """Of such returns, as basis points a minute: the same at each horizon where prices only wander."""
        return pstdev(self.returns(seconds)) * math.sqrt(60 / seconds)

    def spreads(self) -> list[float]:
        """In basis points, sorted."""
        return sorted(one.spread_bps for one in self.glimpses)

    def depths(self) -> list[int]:
        """Shares at the best prices, sorted."""
        return sorted(shares for one in self.glimpses for shares in one.depth)

    def sizes(self) -> list[int]:
        """Shares of the orders that came to rest, sorted."""
        return sorted(one.quantity for one in self.happened if one.kind == "new")


def quantile(found: Sequence[float], part: float) -> float:
    """That of sorted values."""
    return found[min(int(part * len(found)), len(found) - 1)]


def excess_kurtosis(values: Iterable[float]) -> float:
    """How much fatter the tails are than those of a normal distribution: 0 of that."""
    found = list(values)
    mean, spread = fmean(found), pstdev(found)
    return fmean(((one - mean) / spread) ** 4 for one in found) - 3 if spread else 0.0


def live(market: PaperMarket, seconds: float) -> Likeness:
    """The simulated market after so many seconds."""
    glimpses: list[Glimpse] = []
    next_at = 0.0
    for view in market.run(seconds):
        while view.now >= next_at:
            if view.middle is not None and view.best_bid is not None and view.best_ask is not None:
                glimpses.append(Glimpse(view.best_bid, view.best_ask, (view.bids[0][1], view.asks[0][1])))
            elif glimpses:
                glimpses.append(glimpses[-1])
            next_at += 1
    return Likeness(market.happened, glimpses)
