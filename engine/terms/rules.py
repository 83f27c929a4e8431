"""A stock's trading rules, and the checks that the entry of orders shares with the book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.terms import codes
from engine.terms.order_types import FOK, MARKET, RESTING_TIFS, STOPS

BASIS_POINTS: Final = 10_000
"""Basis points in the whole."""

NO_LIMIT: Final = 2**63 - 1
"""Cents: the highest price of a book without a band, the largest value a PostgreSQL bigint holds."""

MAKER: Final = "maker"
SELLER: Final = "seller"
EXECUTION_PRICES: Final = (MAKER, SELLER)

SESSION: Final = "session"
LAST: Final = "last"
BAND_REFERENCES: Final = (SESSION, LAST)

NONE: Final = "none"
CANCEL_RESTING: Final = "cancel_resting"
CANCEL_INCOMING: Final = "cancel_incoming"
CANCEL_BOTH: Final = "cancel_both"
DECREMENT: Final = "decrement"
STP_MODES: Final = (NONE, CANCEL_RESTING, CANCEL_INCOMING, CANCEL_BOTH, DECREMENT)


@dataclass(frozen=True, slots=True)
class Rules:
    """How one stock trades.

    `tick` is the price step in cents, `lot` the quantity step in shares. `band_bps` is how far from the session
    reference a price may be, in basis points; 0 is no band. `execution_price` is whose price a trade gets: the
    resting order's (`maker`), or the seller's limit even when the seller is the aggressor (`seller`). `stp` is what
    happens when both orders of a trade would have the same account.

    `band_reference` says what the band lies around: the session's reference, or `last`, each last trade. A trade more
    than `dynamic_band_bps` from the last one before the command does not happen: an auction begins instead; 0 is none.

    Raises ValueError for rules that cannot be.
    """

    tick: int = 1
    lot: int = 1
    band_bps: int = 0
    execution_price: str = MAKER
    stp: str = CANCEL_RESTING
    band_reference: str = SESSION
    dynamic_band_bps: int = 0

    def __post_init__(self) -> None:
        if self.tick < 1 or self.lot < 1:
            raise ValueError("the tick and the lot must be at least 1")
        if not 0 <= self.band_bps < BASIS_POINTS or not 0 <= self.dynamic_band_bps < BASIS_POINTS:
            raise ValueError("a band must be from 0 to 9999 basis points")
        if self.band_reference not in BAND_REFERENCES:
            raise ValueError(f"the band's reference must be one of {', '.join(BAND_REFERENCES)}")
        if self.execution_price not in EXECUTION_PRICES:
            raise ValueError(f"the execution price must be one of {', '.join(EXECUTION_PRICES)}")
        if self.stp not in STP_MODES:
            raise ValueError(f"self-trade prevention must be one of {', '.join(STP_MODES)}")


def band_limits(reference: int | None, band_bps: int, tick: int) -> tuple[int, int]:
    """The lowest and the highest price allowed, both inclusive and rounded inward to a tick.

    Without a band or a reference everything from one tick up is allowed.
    """
    if reference is None or not band_bps:
        return tick, NO_LIMIT
    unit = BASIS_POINTS * tick
    lowest = -(-reference * (BASIS_POINTS - band_bps) // unit) * tick
    highest = reference * (BASIS_POINTS + band_bps) // unit * tick
    return max(lowest, tick), highest


def check_price(price: int | None, tick: int, lowest: int, highest: int) -> str | None:
    """The code to refuse a limit price with, or None if it is good."""
    if price is None or not 0 < price <= NO_LIMIT:
        return codes.INVALID_PRICE
    if price % tick:
        return codes.OFF_TICK
    if not lowest <= price <= highest:
        return codes.PRICE_OUTSIDE_BAND
    return None


def check_quantity(quantity: int, lot: int) -> str | None:
    """The code to refuse a total quantity with, or None if it is good."""
    if quantity <= 0:
        return codes.INVALID_QUANTITY
    if quantity % lot:
        return codes.OFF_LOT
    return None


def check_gathering(kind: str, tif: str, *, post_only: bool) -> str | None:
    """The code to refuse what cannot wait for an auction with, while orders gather for one, or None."""
    may_wait = tif in RESTING_TIFS or kind in STOPS or (kind == MARKET and tif != FOK)
    return None if may_wait and not post_only else codes.NOT_IN_AUCTION
