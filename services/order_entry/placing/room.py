"""How many orders a broker may have open."""

from typing import Final

from settings.sections import Limits

NO_LIMIT: Final = 2**40 - 1
"""Open orders that nobody can have."""


def most_open(limits: Limits, is_guest: bool) -> int:
    """In all; of one that has signed up it is the lower of two. NO_LIMIT where there is none."""
    most = limits.open_orders or NO_LIMIT
    return min(most, limits.signup_open_orders or NO_LIMIT) if is_guest else most


def most_open_of_stock(limits: Limits) -> int:
    """In one stock."""
    return limits.open_orders_per_stock or NO_LIMIT
