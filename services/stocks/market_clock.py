"""Whether a market is open, and when it opens and closes next, by its schedule."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from engine.terms.states import CLOSED, OPEN
from services.stocks.schedule import AUCTIONS, CLOSE, ROLL, STATES, Beginning, next_after, phase_at
from services.timestamps import timestamp
from settings.sections import MAIN_MARKET, Settings, TradingSchedule

PHASES = text("SELECT market, phase, began_at FROM market_sessions")
"""Where each market is: an auction may go on for longer than planned. When it ends is nobody's to know."""

SHOWN: Final = {ROLL: OPEN, CLOSE: CLOSED}
"""Phases that are called otherwise in a schedule: one that always goes on, and the night."""

LONGEST_BREAK: Final = timedelta(days=365)


def read_clock(session: Statements, settings: Settings, now: datetime) -> dict[str, Any]:
    """{now, markets: [{market, state, phase, phase_since, phase_until, …}]}, the main market first."""
    present = {row.market: Beginning(row.phase, row.began_at) for row in session.execute(PHASES)}
    markets: Sequence[str] = list(dict.fromkeys((MAIN_MARKET, *settings.sessions)))
    return {
        "now": timestamp(now),
        "markets": [_of_market(market, settings.session_of(market), present.get(market), now) for market in markets],
    }


def next_times(schedule: TradingSchedule, now: datetime) -> tuple[datetime | None, datetime | None]:
    """When trading begins and when it ends next, as planned; None for what is not within a year, or never."""
    found: dict[str, datetime] = {}
    beginning = phase_at(schedule, now)
    while len(found) < 2:
        beginning = next_after(schedule, beginning)
        if beginning.phase == ROLL or beginning.at - now > LONGEST_BREAK:
            break
        if beginning.at > now and beginning.phase in (OPEN, CLOSE):
            found.setdefault(beginning.phase, beginning.at)
    return found.get(OPEN), found.get(CLOSE)


def _of_market(market: str, schedule: TradingSchedule, begun: Beginning | None, now: datetime) -> dict[str, Any]:
    """A phase ends at the earliest at `phase_until`: an auction up to `random_end_seconds` later."""
    next_open, next_close = next_times(schedule, now)
    present = begun or phase_at(schedule, now)
    return {
        "market": market,
        "state": STATES[present.phase],
        "phase": SHOWN.get(present.phase, present.phase),
        "phase_since": timestamp(present.at),
        "phase_until": timestamp(next_after(schedule, present).at),
        "random_end_seconds": schedule.random_end_seconds if present.phase in AUCTIONS else 0,
        "next_open": timestamp(next_open),
        "next_close": timestamp(next_close),
        "timezone": schedule.timezone,
    }
