"""Given a market with the calendar of an exchange, when that is closed, then it does not trade."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from holidays import HALF_DAY, financial_holidays
from sqlalchemy import Engine

from database.session import transaction
from services.stocks.closing_days import closing_days
from services.stocks.market_clock import next_times, read_clock
from services.stocks.schedule import Beginning, due, next_after, phase_at
from settings.sections import Settings, TradingSchedule
from settings.values import WEEKDAYS

B3 = TradingSchedule(schedule="daily", calendar="B3")
NYSE = TradingSchedule(schedule="daily", calendar="NYSE", timezone="America/New_York")


def at(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


def trades_on(schedule: TradingSchedule, day: str) -> bool:
    """True if the market is open at some time of this day, between its morning and its evening."""
    begins = phase_at(schedule, at(f"{day} 09:00"))
    while begins.at < at(f"{day} 23:00"):
        begins = next_after(schedule, begins)
        if begins.phase == "open" and begins.at.date() == date.fromisoformat(day):
            return True
    return False


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2026-01-01", "New Year"),
        ("2026-02-16", "Monday of Carnival"),
        ("2026-02-17", "Tuesday of Carnival"),
        ("2026-04-03", "Good Friday"),
        ("2026-06-04", "Corpus Christi"),
        ("2026-11-20", "Black Awareness"),
        ("2026-12-24", "Christmas Eve"),
        ("2026-12-31", "the last working day of the year"),
        ("2027-02-08", "Monday of Carnival, of another year"),
    ],
)
def test_sao_paulo_is_closed(day: str, why: str) -> None:
    assert not trades_on(B3, day), why
    assert trades_on(replace(B3, calendar=""), day)


@pytest.mark.parametrize("day", ["2026-04-03", "2026-11-26", "2026-07-03", "2026-12-25", "2027-01-01"])
def test_new_york_is_closed(day: str) -> None:
    assert not trades_on(NYSE, day)
    assert trades_on(replace(NYSE, calendar=""), day)


@pytest.mark.parametrize("day", ["2026-02-18", "2026-04-02", "2026-12-30", "2027-01-04"])
def test_the_days_beside_them_are_days_like_others(day: str) -> None:
    assert trades_on(B3, day)


def test_two_markets_are_closed_on_different_days() -> None:
    days = ("2026-02-17", "2026-11-20", "2026-11-26", "2026-12-25", "2026-12-28")
    assert [trades_on(B3, day) for day in days] == [False, False, True, False, True]
    assert [trades_on(NYSE, day) for day in days] == [True, True, False, False, True]


def test_days_written_by_hand_come_on_top() -> None:
    """The founder's day is ours alone; that Christmas is in both lists does no harm."""
    both = replace(B3, holidays=("2026-12-28", "2026-12-25"))
    days = [f"2026-12-{day}" for day in range(23, 32)]
    assert [day for day in days if trades_on(both, day)] == ["2026-12-23", "2026-12-29", "2026-12-30"]


def test_the_days_of_the_week_are_still_those_of_the_schedule() -> None:
    saturday = "2026-11-21"
    assert not trades_on(B3, saturday)
    assert trades_on(replace(B3, days=WEEKDAYS), saturday)
    assert not trades_on(replace(B3, days=WEEKDAYS), "2026-11-15")  # a Sunday, and the day of the Republic


@pytest.mark.parametrize(
    ("schedule", "now", "opens", "closes"),
    [
        (B3, "2026-02-13 15:00", "2026-02-18 13:00", "2026-02-13 20:00"),  # over Carnival
        (B3, "2026-02-16 15:00", "2026-02-18 13:00", "2026-02-18 20:00"),
        (B3, "2026-12-30 15:00", "2027-01-04 13:00", "2026-12-30 20:00"),  # over the turn of the year
        (B3, "2026-12-31 23:59:59", "2027-01-04 13:00", "2027-01-04 20:00"),
        (B3, "2027-01-01 12:00", "2027-01-04 13:00", "2027-01-04 20:00"),
        (NYSE, "2026-12-31 18:00", "2027-01-04 15:00", "2026-12-31 22:00"),  # where the 31st is a day like others
        (NYSE, "2026-11-25 22:00", "2026-11-27 15:00", "2026-11-27 22:00"),
    ],
)
def test_it_opens_next_when_the_exchange_does(schedule: TradingSchedule, now: str, opens: str, closes: str) -> None:
    assert next_times(schedule, at(now)) == (at(opens), at(closes))


def test_the_market_clock_passes_them_by(engine: Engine) -> None:
    settings = Settings(session=B3, sessions={"wall_street": NYSE, "crypto": TradingSchedule(calendar="B3")})
    with transaction(engine) as session:
        clock = read_clock(session, settings, at("2026-12-31 01:00"))
    opens = {market["market"]: market["next_open"] for market in clock["markets"]}
    assert opens == {
        "main": "2027-01-04T13:00:00.000000Z",
        "wall_street": "2026-12-31T15:00:00.000000Z",
        "crypto": None,
    }


def test_a_market_that_is_always_open_is_open_on_closing_days_too() -> None:
    always = TradingSchedule(calendar="B3")
    christmas = at("2026-12-25 15:00")
    assert phase_at(always, christmas) == Beginning("roll", at("2026-12-25 03:00"))
    assert next_after(always, phase_at(always, christmas)) == Beginning("roll", at("2026-12-26 03:00"))


def test_a_day_on_which_the_exchange_closes_early_has_the_whole_schedule() -> None:
    """New York closes at one o'clock on the day after Thanksgiving, and on Christmas Eve."""
    early = financial_holidays("NYSE", years=2026, categories=HALF_DAY)
    assert {date(2026, 11, 27), date(2026, 12, 24)} <= early.keys()
    assert not early.keys() & closing_days("NYSE", 2026)
    for day in ("2026-11-27", "2026-12-24"):
        assert next_times(NYSE, at(f"{day} 14:00")) == (at(f"{day} 15:00"), at(f"{day} 22:00"))


def test_a_year_has_only_its_own_days_and_is_worked_out_once() -> None:
    days = closing_days("B3", 2031)
    assert date(2031, 12, 25) in days
    assert {day.year for day in days} == {2031}
    assert closing_days("B3", 2031) is days
    assert closing_days("", 2031) == frozenset()


def test_a_day_that_has_become_a_closing_day_does_not_open() -> None:
    """It was planned as a day like others, and a new version of the library knows better."""
    planned = next_after(replace(B3, calendar=""), phase_at(B3, at("2026-11-19 21:00")))
    assert (planned.phase, planned.at) == ("pre_open", at("2026-11-20 12:30"))
    begun = due(B3, planned, at("2026-11-20 12:30:01"))
    assert [beginning.phase for beginning in begun] == ["close"]
    assert next_after(B3, begun[-1]) == Beginning("pre_open", at("2026-11-23 12:30"))
