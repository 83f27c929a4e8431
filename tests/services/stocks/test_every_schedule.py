"""Given any schedule that the settings accept, in any zone and year, then each trading day begins and ends in order."""

import os
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from services.stocks.schedule import AUCTIONS, Beginning, due, longest_delay, next_after, phase_at
from settings.loading import load_settings
from settings.sections import PHASES_OF_DAY, TradingSchedule
from settings.values import WEEKDAYS, SettingsError

ZONES = sorted(available_timezones())
NIGHT = 5 * 3_600
"""Seconds: most clocks are put forward or back in the first five hours of a day, or in the last."""
DAY = 86_400

time_of_day = st.one_of(
    st.integers(0, NIGHT),
    st.sampled_from(range(0, NIGHT, 1_800)),
    st.integers(DAY - 7_200, DAY - 1),
    st.integers(0, DAY - 1),
)


@st.composite
def days_of_change(draw):
    """A zone, and a day around which its clocks are put forward or back, or some day where they never are."""
    zone, year = draw(st.sampled_from(ZONES)), draw(st.integers(1900, 2100))
    noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=number) for number in range(365)]
    offsets = [noon.astimezone(ZoneInfo(zone)).utcoffset() for noon in noons]
    changes = [
        noon for noon, offset, earlier in zip(noons[1:], offsets[1:], offsets, strict=False) if offset != earlier
    ]
    return zone, draw(st.sampled_from(changes or noons)).date()


@st.composite
def schedules(draw):
    """A schedule as the settings read it from variables, and the day to look at."""
    zone, day = draw(days_of_change())
    times = sorted(draw(st.lists(time_of_day, min_size=5, max_size=5, unique=True)))
    longest = max(min(3_600, times[3] - times[2] - 1, DAY - 1 - times[4]), 0)
    values = {
        "schedule": "daily",
        "timezone": zone,
        "days": ",".join(draw(st.sampled_from([WEEKDAYS, WEEKDAYS, WEEKDAYS[:5], (WEEKDAYS[day.weekday()],)]))),
        "random_end_seconds": str(draw(st.integers(0, longest + 1))),
        **{phase: clock(seconds) for phase, seconds in zip(PHASES_OF_DAY, times, strict=True)},
    }
    try:
        read = load_settings(Path(os.devnull), {f"MINEX_SESSION_{key.upper()}": value for key, value in values.items()})
    except SettingsError:
        reject()
    return read.session, day


def clock(seconds: int) -> str:
    return (datetime.min + timedelta(seconds=seconds)).strftime("%H:%M:%S")


def shown(schedule: TradingSchedule, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None)


def trading_days(schedule: TradingSchedule, day: date) -> list[date]:
    """The trading days around `day` that the market's clocks show."""
    noons = [datetime.combine(day, time(12), UTC) + timedelta(hours=hours) for hours in range(-120, 121)]
    shown_days = sorted({shown(schedule, noon).date() for noon in noons})[1:-1]
    return [shown_day for shown_day in shown_days if WEEKDAYS[shown_day.weekday()] in schedule.days]


@settings(max_examples=200, deadline=None)
@given(schedules())
def test_each_trading_day_has_all_its_phases_in_order(given):
    schedule, day = given
    expected = [(phase, trading_day) for trading_day in trading_days(schedule, day) for phase in PHASES_OF_DAY]
    first_day = datetime.combine(expected[0][1], time(), ZoneInfo(schedule.timezone))
    beginning = phase_at(schedule, first_day.astimezone(UTC) - timedelta(seconds=1))
    assert beginning.phase == "close"
    for phase, trading_day in expected:
        before, beginning = beginning, next_after(schedule, beginning)
        assert beginning.phase == phase
        assert beginning.at >= before.at
        # the clocks show the phase's time then for the first time, or skip it
        planned = datetime.combine(trading_day, time.fromisoformat(getattr(schedule, phase)))
        assert shown(schedule, beginning.at) >= planned > shown(schedule, beginning.at - timedelta(seconds=1))
        local = beginning.at.astimezone(ZoneInfo(schedule.timezone))
        assert shown(schedule, beginning.at) == planned or local.utcoffset() != before_change(local)
        assert not local.fold or shown(schedule, beginning.at) != planned


def before_change(local: datetime) -> timedelta | None:
    """How far the clocks were from UTC a second earlier."""
    return (local.astimezone(UTC) - timedelta(seconds=1)).astimezone(local.tzinfo).utcoffset()


@settings(max_examples=150, deadline=None)
@given(schedules(), st.integers(0, 2**32))
def test_whoever_looks_now_and_then_sees_each_day_open_and_close(given, seed):
    """With ends drawn by lot, as the clock process does it; of what it looks too late for, only the close counts."""
    schedule, day = given
    random = Random(seed)
    now = datetime.combine(day, time(12), UTC) - timedelta(days=2)
    current = phase_at(schedule, now)
    following = next_after(schedule, current)
    seen = [current.phase]
    while now.date() <= day + timedelta(days=2):
        now += timedelta(seconds=random.choice([1, 60, 600, 3_600, 20_000]))
        begun = due(schedule, following, now)
        if begun:
            seen += [beginning.phase for beginning in begun]
            following = next_after(schedule, begun[-1])
            assert following.at > now
            if begun[-1].phase in AUCTIONS:
                late = random.randint(0, longest_delay(schedule, following))
                following = Beginning(following.phase, following.at + timedelta(milliseconds=late))
    for earlier, later in pairwise(seen):
        assert later in {"close", PHASES_OF_DAY[(PHASES_OF_DAY.index(earlier) + 1) % len(PHASES_OF_DAY)]}, seen
