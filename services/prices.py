"""How prices look from outside."""

from typing import Any, Final

from engine.terms.states import AUCTION

FOUR_DECIMALS = 10_000

STANDING_PRICE: Final = "coalesce(t.adjusted_price, t.price)"
"""Of a row `t` of trades that was not busted, the price in cents that counts."""


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
    """Indicative price (cents), volume and surplus (shares) of a stock's row; None where there is no auction."""
    if stock.state != AUCTION:
        return None
    return indicative_document(stock.indicative_price, stock.indicative_volume, stock.indicative_surplus)


def indicative_document(price: int | None, volume: int, surplus: int) -> dict[str, Any]:
    """What an auction would bring: `surplus` shares would be left, negative for asks; `surplus_side` says of whom."""
    side = "bid" if surplus > 0 else "ask" if surplus < 0 else None
    return {"price": price, "volume": volume, "surplus": surplus, "surplus_side": side}


LARGEST_NUMBER = 2**53 - 1
"""The largest whole number that every reader of JSON gets right (RFC 8259, section 6)."""


def whole_number(value: int | None) -> int | str | None:
    """`value` as JSON: a number as far as every reader gets it right, beyond that its digits as a string."""
    if value is None:
        return None
    number = int(value)
    return number if abs(number) <= LARGEST_NUMBER else str(number)
