"""The day of a market: which phase begins when. Reads no clock and draws no lots; both are given."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.states import AUCTION, CLOSED, OPEN, PRE_OPEN
from settings.sections import DAILY, PHASES_OF_DAY, TradingSchedule
from settings.values import WEEKDAYS

ROLL: Final = "roll"
CLOSE: Final = "close"
AUCTIONS: Final = frozenset({"opening_auction", "closing_auction"})
"""Phases whose end is drawn by lot."""

STATES: Final = {
    "pre_open": PRE_OPEN,
    "opening_auction": AUCTION,
    "open": OPEN,
    "closing_auction": AUCTION,
    CLOSE: CLOSED,
    ROLL: OPEN,
}
"""The trading state of each phase. A market that is always open has one phase, which begins anew each day."""

LONGEST_BREAK: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A phase, and when it begins (UTC)."""

    phase: str
    at: datetime


def next_after(session: TradingSchedule, moment: datetime) -> Beginning:
    """The first phase that begins after `moment`; where there is no trading for a year, the market is still closed."""
    first = _local(session, moment).date()
    for days in range(LONGEST_BREAK.days):
        for one in _beginnings(session, first + timedelta(days=days)):
            if one.at > moment:
                return one
    return Beginning(CLOSE, moment + LONGEST_BREAK)


def phase_at(session: TradingSchedule, moment: datetime) -> Beginning:
    """The phase that `moment` is in; a market that has not opened for a year is closed."""
    today = _local(session, moment).date()
    for days in range(LONGEST_BREAK.days):
        begun = [one for one in _beginnings(session, today - timedelta(days=days)) if one.at <= moment]
        if begun:
            return begun[-1]
    return Beginning(CLOSE, moment)


def due(session: TradingSchedule, first: Beginning, now: datetime) -> list[Beginning]:
    """`first` and what has begun after it, up to `now`; of several days only what follows the last end of one."""
    begun = []
    following = first
    while following.at <= now:
        begun.append(following)
        following = next_after(session, following.at)
    ends = [n for n, one in enumerate(begun) if one.phase in (CLOSE, ROLL)]
    return begun[ends[-1] :] if ends else begun


def _beginnings(session: TradingSchedule, day: date) -> Iterator[Beginning]:
    """What begins on this day, in order."""
    if session.schedule != DAILY:
        yield Beginning(ROLL, _instant(session, day, session.roll_at))
    elif WEEKDAYS[day.weekday()] in session.days and day.isoformat() not in session.holidays:
        for phase in PHASES_OF_DAY:
            yield Beginning(phase, _instant(session, day, getattr(session, phase)))


def _instant(session: TradingSchedule, day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(session.timezone)).astimezone(UTC)


def _local(session: TradingSchedule, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(session.timezone))
