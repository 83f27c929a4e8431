"""What a stock would be worth if nobody traded: it wanders, and news move it at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Final

MOOD_SECONDS: Final = 900.0
MOOD_SPREAD: Final = 0.35
"""Quiet times and lively ones: how long one lasts, and how much livelier one in six is, as a logarithm."""

CALMING_SECONDS: Final = 90.0
"""How long a stock stays excited after news."""

READING_SECONDS: Final = 8.0
"""How long it takes until news are understood."""

PULL_SECONDS: Final = 180.0
"""How fast opinions follow the market where it insists on another price."""


@dataclass(frozen=True)
class Temper:
    """How lively stocks are; basis points of the price."""

    wandering: float = 1.25
    """In a second, one standard deviation."""
    news_every: float = 1_200.0
    """Seconds, on average."""
    news: float = 8.0
    """How far news move a stock, on average."""


class FairValue:
    """The worth of one stock in cents, with fractions: nobody trades at it."""

    def __init__(self, price: float, random: Random, temper: Temper | None = None) -> None:
        self.price = price
        self._temper = temper or Temper()
        self._random = random
        self._mood = random.gauss(0, MOOD_SPREAD)
        self._excitement = 0.0
        self._not_yet_understood = 0.0
        """Basis points of the latest news that are not in the price."""
        self._next_news = random.expovariate(1 / self._temper.news_every)
        self._now = 0.0

    @property
    def liveliness(self) -> float:
        """How much more than usual it moves: 1 is usual."""
        return math.exp(self._mood) * (1 + self._excitement)

    def advance(self, now: float, lowest: float, highest: float) -> float:
        """Wander until `now` (seconds) within these bounds (cents); how far news will move it, in basis points."""
        seconds = max(now - self._now, 0.0)
        self._now = now
        fading = math.exp(-seconds / MOOD_SECONDS)
        self._mood = self._mood * fading + self._random.gauss(0, MOOD_SPREAD) * math.sqrt(1 - fading**2)
        self._excitement *= math.exp(-seconds / CALMING_SECONDS)
        wandered = self._random.gauss(0, 1) * self._temper.wandering * self.liveliness * math.sqrt(seconds)
        understood = self._not_yet_understood * (1 - math.exp(-seconds / READING_SECONDS))
        news = self._news()
        self._not_yet_understood += news - understood
        self.price *= math.exp((wandered + understood) / 10_000)
        self.price = min(max(self.price, lowest), highest)
        return news

    def follow(self, middle: float, seconds: float) -> None:
        """Come nearer to what the market says, which was so for `seconds`."""
        self.price += (middle - self.price) * (1 - math.exp(-seconds / PULL_SECONDS))

    def _news(self) -> float:
        moved = 0.0
        while self._next_news <= self._now:
            self._next_news += self._random.expovariate(1 / self._temper.news_every)
            far = self._random.expovariate(1 / self._temper.news)
            moved += far if self._random.random() < 0.5 else -far
            self._excitement = min(self._excitement + far / self._temper.news, 1.0)
        return moved
