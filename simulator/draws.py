"""How much and how far: quantities and prices as people choose them.

Half of the orders of a stock of a NASDAQ day are of exactly 100 shares, more than a third are smaller, a few larger;
prices away from the best one become rarer by a power law (Bouchaud, Mézard, Potters, Quantitative Finance 2, 2002).
"""

from __future__ import annotations

from random import Random
from typing import Final

ROUND: Final = 100
"""Shares."""

LARGE: Final = (200, 200, 300, 300, 400, 500, 500, 1_000)

DISTANCE_EXPONENT: Final = 1.6
FARTHEST: Final = 150.0
"""Basis points."""


def shares(random: Random) -> int:
    """The quantity of an order."""
    chance = random.random()
    if chance < 0.38:
        return random.randint(1, ROUND - 1)
    if chance < 0.88:
        return ROUND
    return random.choice(LARGE)


def distance(random: Random) -> float:
    """How far behind the best price an order is put that is not put at it, in basis points."""
    return float(min(random.paretovariate(DISTANCE_EXPONENT), FARTHEST))
