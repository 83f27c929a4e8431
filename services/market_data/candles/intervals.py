"""How long candles are, and where each begins: one place for the reporter, the lists, the streams and `verify`.

Those of up to an hour begin with UTC. A day is the market's own, by its clocks: of 23 or 25 hours where they change.
The functions are PostgreSQL's (`candle_start`, `candle_end`, migration 0019).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from settings.sections import Settings

DAY: Final = 86_400
INTERVALS: Final = {"1s": 1, "1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "1d": DAY}
"""Seconds of each interval; of a day, whatever its clocks do."""

NAMES: Final = {seconds: name for name, seconds in INTERVALS.items()}


class CandleKey(NamedTuple):
    """Which candle: of which stock, of how many seconds, and when it begins."""

    stock_id: int
    seconds: int
    start: datetime


LENGTHS: Final = ", ".join(f"({seconds})" for seconds in INTERVALS.values())
"""As VALUES lists them."""

ZONES: Final = "unnest(CAST(:markets AS text[]), CAST(:zones AS text[])) AS z (market, zone)"
"""The time zones of the markets, from `zones_of`; a stock of a market that is not among them goes by `:main_zone`."""


def zones_of(settings: Settings) -> dict[str, str | Sequence[str]]:
    """What statements with ZONES need to know."""
    markets = list(settings.sessions)
    zones = [settings.session_of(market).timezone for market in markets]
    return {"markets": markets, "zones": zones, "main_zone": settings.session.timezone}
