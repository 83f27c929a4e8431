"""How figures and moments look from outside."""

from datetime import UTC, datetime
from typing import Any, overload

from engine.states import AUCTION

FOUR_DECIMALS = 10_000


@overload
def timestamp(instant: datetime) -> str: ...
@overload
def timestamp(instant: None) -> None: ...
def timestamp(instant: datetime | None) -> str | None:
    """RFC 3339 in UTC with microseconds, such as 2026-03-02T14:03:22.000000Z; None stays None."""
    if instant is None:
        return None
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def average_price(notional: int, quantity: int) -> int | float | None:
    """`notional` / `quantity` in cents as a JSON number of at most four decimals, rounded half up; None for nothing.

    For showing only: nothing is ever computed from it.
    """
    if not quantity:
        return None
    scaled = (2 * notional * FOUR_DECIMALS + quantity) // (2 * quantity)
    whole, rest = divmod(scaled, FOUR_DECIMALS)
    return whole if not rest else scaled / FOUR_DECIMALS


def indicative(stock: Any) -> dict[str, Any] | None:
    """What the auction of a stock (its row) would bring, in cents and shares; None where there is no auction."""
    if stock.state != AUCTION:
        return None
    return {
        "price": stock.indicative_price,
        "volume": stock.indicative_volume,
        "surplus": stock.indicative_surplus,
    }
