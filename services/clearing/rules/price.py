"""The price is further from the trade's own reference than a guideline allows.

The reference is that around which the band lay when the trade was made, and how far is too far follows from it: the
higher the price, the less. The guidelines are those that Nasdaq publishes for clearly erroneous trades (Rule 11890, the
numerical guidelines of the regular session): 10 % up to 25, 5 % up to 50, 3 % above.
"""

from functools import lru_cache
from typing import Final

from services.clearing.rules.rule import Figures, JudgedTrade, Rule
from settings.clearing import Clearing

BASIS_POINTS: Final = 10_000


def figures(trade: JudgedTrade, terms: Clearing) -> Figures | None:
    """{reference, deviation_bps, limit_bps}; None without a reference. What is exactly at the limit does not break."""
    reference = trade.reference_price
    if not reference:
        return None
    limit = limit_of(reference, terms.price_guidelines)
    away = abs(trade.price - reference)
    if limit is None or away * BASIS_POINTS <= limit * reference:
        return None
    return {"reference": reference, "deviation_bps": deviation_of(trade.price, reference), "limit_bps": limit}


def deviation_of(price: int, reference: int) -> int:
    """How far a price is from its reference, in basis points, rounded toward it; negative below."""
    bps = abs(price - reference) * BASIS_POINTS // reference
    return bps if price >= reference else -bps


def limit_of(reference: int, guidelines: tuple[str, ...]) -> int | None:
    """The basis points that are allowed at this reference (cents); None where no guideline begins at or below it."""
    return next((bps for first, bps in _ranges(guidelines) if reference >= first), None)


@lru_cache(maxsize=8)
def _ranges(guidelines: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """(first price, basis points), the highest first."""
    pairs = (guideline.split(":") for guideline in guidelines)
    return tuple(sorted(((int(first), int(bps)) for first, bps in pairs), reverse=True))


RULE: Final = Rule("price", figures)
