"""What shares are worth that come in from outside."""

from typing import Any, Final

from services.errors import PositionTooValuable

LARGEST_VALUE: Final = 2**63 - 1
"""Cents that a position which is brought in may be worth."""


def value_of(stock: Any, shares: int) -> int:
    """Cents at the stock's reference price, or where it has none at its last; 0 where it has neither.

    Raises PositionTooValuable for what could not be counted.
    """
    price: int = stock.reference_price or stock.last_price or 0
    if price * shares > LARGEST_VALUE:
        detail = f"{shares} shares of {stock.symbol} at {price} cents are too many."
        raise PositionTooValuable(detail, field="positions", largest_value=LARGEST_VALUE)
    return price * shares
