"""Given a market's hours, when somebody looks at the clock, then it says when trading begins and ends next."""

from dataclasses import replace

import pytest

from services.stocks.market_clock import next_times
from services.stocks.schedule import next_after, phase_at
from settings.sections import TradingSchedule
from tests.services.stocks.test_schedule import DAILY, at


@pytest.mark.parametrize(
    ("now", "opens", "closes"),
    [
        ("2026-11-20 11:00", "2026-11-20 13:00", "2026-11-20 20:00"),
        ("2026-11-20 12:59:59", "2026-11-20 13:00", "2026-11-20 20:00"),
        ("2026-11-20 13:00", "2026-11-23 13:00", "2026-11-20 20:00"),
        ("2026-11-20 19:57", "2026-11-23 13:00", "2026-11-20 20:00"),
        ("2026-11-20 20:00", "2026-11-23 13:00", "2026-11-23 20:00"),
        ("2026-11-21 15:00", "2026-11-23 13:00", "2026-11-23 20:00"),
        ("2026-12-24 20:30", "2026-12-28 13:00", "2026-12-28 20:00"),
    ],
)
def test_it_opens_and_closes_next(now: str, opens: str, closes: str) -> None:
    assert next_times(DAILY, at(now)) == (at(opens), at(closes))


def test_a_market_that_is_always_open_does_neither() -> None:
    assert next_times(TradingSchedule(), at("2026-11-20 15:00")) == (None, None)


def test_a_market_that_opens_no_more_is_not_said_to() -> None:
    saturdays = replace(DAILY, days=("sat",), holidays=tuple(f"2026-{month:02}-{day:02}" for month in range(1, 13)
        for day in range(1, 29)))  # fmt: skip
    opens, closes = next_times(saturdays, at("2026-11-20 15:00"))
    assert opens is not None
    assert closes is not None
    assert next_times(replace(DAILY, days=()), at("2026-11-20 15:00")) == (None, None)


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "Europe/Lisbon"])
def test_what_it_says_is_what_the_schedule_does(zone: str) -> None:
    schedule = replace(DAILY, timezone=zone)
    for month in range(1, 13):
        now = at(f"2026-{month:02}-14 09:17")
        wanted: dict[str, object] = {}
        beginning = phase_at(schedule, now)
        for _ in range(40):
            beginning = next_after(schedule, beginning)
            wanted.setdefault(beginning.phase, beginning.at)
        assert next_times(schedule, now) == (wanted["open"], wanted["close"])
