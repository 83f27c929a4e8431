"""People who trade for reasons of their own (noise), and those who follow trends (momentum)."""

from __future__ import annotations

import math
from random import Random
from typing import Final

from .draws import distance, shares
from .fair_value import FairValue
from .traders import HASTY, PATIENT, PEOPLE, TREND
from .view import Action, Cancel, Place, Side, View

RESTING: Final = 30
"""Orders of patient people in one stock, about."""

REACH: Final = 6.0
"""Basis points beyond the best price that somebody in haste pays at most, in quiet times."""


class Crowd:
    """The many: those with patience leave orders and take them back, those in haste take what there is."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def wait(self, view: View, value: FairValue) -> list[Action]:
        """Leave an order, or take one back: as many as there are too many."""
        own = view.of(PATIENT)
        if self._random.random() < len(own) / (len(own) + RESTING):
            return [Cancel(self._random.choice(own))]
        side = self._side(view)
        price = view.price(self._wanted(view, value, side), side)
        return [Place(PATIENT, side, view.quantity(shares(self._random)), price)]

    def take(self, view: View, value: FairValue) -> list[Action]:
        """Buy or sell at once, at the best price."""
        side = self._side(view)
        best = view.best_ask if side == "bid" else view.best_bid
        if best is None or view.auction:
            return []
        return [_at_once(HASTY, view, side, best, shares(self._random), value)]

    def _side(self, view: View) -> Side:
        return "bid" if self._random.random() < 0.5 - view.lean.get(PEOPLE, 0.0) / 4 else "ask"

    def _wanted(self, view: View, value: FairValue, side: Side) -> float:
        """The price of a patient order: better than the best, at it, or behind it."""
        best: float | None
        opposite: float | None
        best, opposite = (view.best_bid, view.best_ask) if side == "bid" else (view.best_ask, view.best_bid)
        away = -1 if side == "bid" else 1
        if best is None:
            best = value.price + away * max(value.price * 3 / 10_000, view.tick)
        room = abs(opposite - best) if opposite is not None else 0
        chance = self._random.random()
        if chance < 0.08 and room >= 2 * view.tick and not view.auction:
            inside = min(math.ceil(room / view.tick) - 1, max(round(room / view.tick / 2), 1))
            return best - away * self._random.randint(1, inside) * view.tick
        if chance < 0.33:
            return best
        return best + away * max(value.price * distance(self._random) / 10_000, view.tick)


class TrendFollower:
    """Buys what has risen, sells what has fallen, and lets go of it when that is over."""

    QUICK_SECONDS: Final = 15.0
    SLOW_SECONDS: Final = 120.0
    THRESHOLD: Final = 4.0
    """Basis points."""
    MOST: Final = 2_000
    """Shares, bought or sold."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._quick: float | None = None
        self._slow = 0.0
        self._now = 0.0

    def watch(self, now: float, middle: float | None) -> None:
        """Note where the price is."""
        if middle is None:
            return
        if self._quick is None:
            self._quick = self._slow = middle
        seconds, self._now = max(now - self._now, 0.0), now
        self._quick += (middle - self._quick) * (1 - math.exp(-seconds / self.QUICK_SECONDS))
        self._slow += (middle - self._slow) * (1 - math.exp(-seconds / self.SLOW_SECONDS))

    def act(self, view: View, value: FairValue) -> list[Action]:
        """Follow the trend, if there is one."""
        if self._quick is None or view.auction:
            return []
        trend = (self._quick / self._slow - 1) * 10_000 / value.liveliness
        held = view.holdings.get(TREND, 0)
        side: Side
        if abs(trend) > self.THRESHOLD and abs(held) < self.MOST:
            side = "bid" if trend > 0 else "ask"
            wanted = shares(self._random)
        elif held and abs(trend) < self.THRESHOLD / 2:
            side, wanted = ("ask" if held > 0 else "bid"), min(abs(held), shares(self._random))
        else:
            return []
        best = view.best_ask if side == "bid" else view.best_bid
        return [] if best is None else [_at_once(TREND, view, side, best, wanted, value)]


def _at_once(trader: str, view: View, side: Side, best: int, wanted: int, value: FairValue) -> Place:
    reach = max(best * REACH / 10_000 * value.liveliness, view.tick)
    limit = view.price(best + reach if side == "bid" else best - reach, side)
    return Place(trader, side, view.quantity(wanted), limit, at_once=True)
