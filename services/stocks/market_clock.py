"""Whether a market is open, and when it opens and closes next, by its schedule."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from engine.terms.states import OPEN
from services.stocks.schedule import CLOSE, ROLL, STATES, next_after, phase_at
from services.timestamps import timestamp
from settings.sections import MAIN_MARKET, Settings, TradingSchedule

PHASES = text("SELECT market, phase FROM market_sessions")
"""Where each market is: an auction may go on for longer than planned. When it ends is nobody's to know."""

LONGEST_BREAK: Final = timedelta(days=365)


def read_clock(session: Statements, settings: Settings, now: datetime) -> dict[str, Any]:
    """{now, markets: [{market, state, next_open, next_close, timezone}]}, the main market first."""
    present = dict(map(tuple, session.execute(PHASES)))
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


def _of_market(market: str, schedule: TradingSchedule, phase: str | None, now: datetime) -> dict[str, Any]:
    next_open, next_close = next_times(schedule, now)
    return {
        "market": market,
        "state": STATES[phase or phase_at(schedule, now).phase],
        "next_open": timestamp(next_open),
        "next_close": timestamp(next_close),
        "timezone": schedule.timezone,
    }
