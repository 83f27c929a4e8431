"""The day of a market: which phase begins when. Reads no clock and draws no lots; both are given."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.terms.states import AUCTION, CLOSED, OPEN, PRE_OPEN
from services.stocks.closing_days import closing_days
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


def next_after(schedule: TradingSchedule, beginning: Beginning) -> Beginning:
    """The phase that comes after `beginning`, which may have begun late, as after an auction with a random end.

    It is the next one in the order of the day, so it may begin at the same moment, or have been due before. Where there
    is no trading for a year, the market is still closed.
    """
    last = _latest(schedule, beginning.at, beginning.phase)
    first_day = last[0] if last else _local_day(schedule, beginning.at)
    for days in range(LONGEST_BREAK.days):
        day = first_day + timedelta(days=days)
        for number, candidate in enumerate(_beginnings(schedule, day)):
            if (day, number) > last if last else candidate.at > beginning.at:
                return candidate
    return Beginning(CLOSE, beginning.at + LONGEST_BREAK)


def phase_at(schedule: TradingSchedule, moment: datetime) -> Beginning:
    """The phase that `moment` is in; a market that has not opened for a year is closed."""
    last = _latest(schedule, moment)
    return _beginnings(schedule, last[0])[last[1]] if last else Beginning(CLOSE, moment)


def due(schedule: TradingSchedule, first: Beginning, now: datetime) -> list[Beginning]:
    """`first` and what has begun after it, up to `now`; of several days only what follows the last end of one."""
    begun = []
    following = first
    while following.at <= now:
        begun.append(following)
        following = next_after(schedule, following)
    ends = [number for number, beginning in enumerate(begun) if beginning.phase in (CLOSE, ROLL)]
    return begun[ends[-1] :] if ends else begun


def longest_delay(schedule: TradingSchedule, following: Beginning) -> int:
    """The most milliseconds that `following` may begin later than planned: until the phase after it is due."""
    room = next_after(schedule, following).at - following.at
    return min(schedule.random_end_seconds * 1_000, room // timedelta(milliseconds=1))


def _latest(schedule: TradingSchedule, moment: datetime, phase: str | None = None) -> tuple[date, int] | None:
    """The day, and the place in it, of what began last by `moment`, be it any phase or the given one; None for a year.

    The search starts a day ahead: clocks that are put back over midnight show yesterday's date again.
    """
    ahead = _local_day(schedule, moment) + timedelta(days=1)
    for days in range(LONGEST_BREAK.days):
        day = ahead - timedelta(days=days)
        for number, candidate in reversed(list(enumerate(_beginnings(schedule, day)))):
            if candidate.at <= moment and (phase is None or candidate.phase == phase):
                return day, number
    return None


def _beginnings(schedule: TradingSchedule, day: date) -> list[Beginning]:
    """The phases that begin on this day, in order; none before those of earlier days."""
    if not _exists(schedule, day):
        return []
    if schedule.schedule != DAILY:
        return [Beginning(ROLL, _instant(schedule, day, schedule.roll_at))]
    if not _is_trading_day(schedule, day):
        return []
    return [Beginning(phase, _instant(schedule, day, getattr(schedule, phase))) for phase in PHASES_OF_DAY]


def _is_trading_day(schedule: TradingSchedule, day: date) -> bool:
    """True if a market with a daily schedule trades on this day of its own clocks."""
    if WEEKDAYS[day.weekday()] not in schedule.days or day.isoformat() in schedule.holidays:
        return False
    return day not in closing_days(schedule.calendar, day.year)


def _exists(schedule: TradingSchedule, day: date) -> bool:
    """True if the market's clocks show this date at all: Samoa had no 30 December 2011."""
    return _local_day(schedule, _instant(schedule, day, "00:00")) == day


def _instant(schedule: TradingSchedule, day: date, clock: str) -> datetime:
    """The first moment (UTC) at which the market's clocks show this time or a later one.

    Of a time that they show twice it is the first; one that they skip is the moment at which they skip it. So what is
    later by the clock is never earlier in time.
    """
    shown = datetime.combine(day, time.fromisoformat(clock))
    zone = ZoneInfo(schedule.timezone)
    instant = shown.replace(tzinfo=zone).astimezone(UTC)
    if _shows(zone, instant) == shown:
        return instant
    before = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)  # PEP 495: what is skipped lies between the two
    seconds = range(int((instant - before).total_seconds()))
    skipped = bisect_left(seconds, True, key=lambda second: _shows(zone, before + timedelta(seconds=second)) >= shown)
    return before + timedelta(seconds=skipped)


def _local_day(schedule: TradingSchedule, moment: datetime) -> date:
    return _shows(ZoneInfo(schedule.timezone), moment).date()


def _shows(zone: ZoneInfo, moment: datetime) -> datetime:
    """The date and time that the clocks of `zone` show at `moment`."""
    return moment.astimezone(zone).replace(tzinfo=None)
