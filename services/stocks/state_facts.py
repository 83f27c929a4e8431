"""What is told of a stock's state besides the state: how long it lasts, and what orders may be meanwhile."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.stocks.next_state import next_state
from services.timestamps import timestamp
from settings.sections import Market, Settings


def largest_quantity(lot_size: int, market: Market) -> int:
    """The most shares that one order may be of."""
    return market.max_quantity // lot_size * lot_size


def state_facts(
    stock: Any, state: str, reason: str | None, since: datetime, limits: tuple[int, int], settings: Settings
) -> Mapping[str, Any]:
    """Of a `stock` (its row) that has been in `state` since then: until when, what then, and the limits of orders.

    `limits` are the lowest and the highest price (cents) within the band.
    """
    following = next_state(settings.session_of(stock.market), state, reason, since)
    lowest, highest = limits
    return {
        "until": timestamp(following.until),
        "next_state": following.state,
        "band_low": lowest,
        "band_high": min(highest, settings.market.max_price),
        "largest_quantity": largest_quantity(stock.lot_size, settings.market),
    }
