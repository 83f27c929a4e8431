"""When something happens: arrivals that cluster, as those of real order flow do (a Hawkes process).

Each arrival makes more of them likely for a while. `ratio` is how many others one arrival brings about, so that of all
arrivals the part 1 - ratio comes by itself, and `base` of these a second are `base / (1 - ratio)` arrivals a second.
A. G. Hawkes, Biometrika 58 (1971); drawn by thinning, Y. Ogata, IEEE Transactions on Information Theory 27 (1981).
"""

from __future__ import annotations

import math
from collections import deque
from random import Random
from typing import Final

QUICK_PART: Final = 0.75
"""So much of what an arrival brings about is the answer of programs, and the rest that of people."""

DECAYS: Final = (30.0, 0.1)
"""How soon: for programs within 33 milliseconds on average, for people within ten seconds."""


class Arrivals:
    """The times at which something happens, in seconds from 0 on; the same `random` gives the same ones."""

    def __init__(self, base: float, ratio: float, random: Random, most_per_second: int = 1_000) -> None:
        """`most_per_second`: arrivals beyond so many within a second do not happen, and bring nothing about.

        Raises ValueError for a ratio of 1 or more, with which clusters never end.
        """
        if not 0 <= ratio < 1:
            raise ValueError(f"a ratio of {ratio} is not below 1: its clusters would never end")
        if base <= 0:
            raise ValueError(f"a base rate of {base} is not above 0")
        self.base = base
        self._jumps = (ratio * QUICK_PART * DECAYS[0], ratio * (1 - QUICK_PART) * DECAYS[1])
        self._excited = [base / (1 - ratio) * jump / decay for jump, decay in zip(self._jumps, DECAYS, strict=True)]
        """What earlier arrivals add to the rate now, each decay apart: at first as much as on average."""
        self._random = random
        self._now = 0.0
        self._latest: deque[float] = deque(maxlen=most_per_second)

    @property
    def rate(self) -> float:
        """Arrivals a second that are to be expected right now."""
        return self.base + sum(self._excited)

    def next(self) -> float:
        """The time of the next arrival."""
        while True:
            highest = self.rate  # it only falls until the next arrival
            self._move(self._random.expovariate(highest))
            if self._random.random() * highest > self.rate or self._is_too_much():
                continue
            self._latest.append(self._now)
            self.excite(1)
            return self._now

    def excite(self, count: float) -> None:
        """Bring about as much as `count` arrivals would."""
        self._excited = [known + jump * count for known, jump in zip(self._excited, self._jumps, strict=True)]

    def _move(self, seconds: float) -> None:
        self._now += seconds
        fading = zip(self._excited, DECAYS, strict=True)
        self._excited = [known * math.exp(-decay * seconds) for known, decay in fading]

    def _is_too_much(self) -> bool:
        full = len(self._latest) == self._latest.maxlen
        return full and self._now - self._latest[0] < 1
