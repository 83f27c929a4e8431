"""Given a market's hours, when a moment comes, then it is in this phase, and that one is next."""

from datetime import UTC, datetime, timedelta

import pytest

from services.stocks.schedule import Beginning, due, next_after, phase_at
from settings.sections import TradingSchedule

DAILY = TradingSchedule(schedule="daily", holidays=("2026-12-25",))
"""São Paulo is three hours behind UTC: ten o'clock there is thirteen here."""


def at(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "phase", "following", "begins"),
    [
        ("2026-11-20 12:29:59", "close", "pre_open", "2026-11-20 12:30"),
        ("2026-11-20 12:30", "pre_open", "opening_auction", "2026-11-20 12:45"),
        ("2026-11-20 12:50", "opening_auction", "open", "2026-11-20 13:00"),
        ("2026-11-20 15:00", "open", "closing_auction", "2026-11-20 19:55"),
        ("2026-11-20 19:55", "closing_auction", "close", "2026-11-20 20:00"),
        ("2026-11-20 20:00", "close", "pre_open", "2026-11-23 12:30"),
        ("2026-11-21 15:00", "close", "pre_open", "2026-11-23 12:30"),
        ("2026-12-25 15:00", "close", "pre_open", "2026-12-28 12:30"),
    ],
)
def test_a_day_of_the_market(now, phase, following, begins):
    assert phase_at(DAILY, at(now)).phase == phase
    assert next_after(DAILY, at(now)) == Beginning(following, at(begins))


def test_times_are_those_of_the_markets_own_clocks():
    """In New York ten o'clock is an hour later in UTC once summer time has ended."""
    new_york = TradingSchedule(schedule="daily", timezone="America/New_York")
    assert next_after(new_york, at("2026-10-30 13:50")) == Beginning("open", at("2026-10-30 14:00"))
    assert next_after(new_york, at("2026-11-02 14:50")) == Beginning("open", at("2026-11-02 15:00"))


def test_a_market_that_is_always_open_rolls_once_a_day():
    assert next_after(TradingSchedule(), at("2026-11-21 15:00")) == Beginning("roll", at("2026-11-22 03:00"))
    assert next_after(TradingSchedule(roll_at="18:30"), at("2026-11-21 15:00")) == Beginning(
        "roll", at("2026-11-21 21:30")
    )


def test_a_market_without_days_is_closed():
    never = TradingSchedule(schedule="daily", days=())
    assert phase_at(never, at("2026-11-20 15:00")).phase == "close"
    assert next_after(never, at("2026-11-20 15:00")).phase == "close"


def test_what_began_while_nobody_looked_is_made_up_for():
    first = next_after(DAILY, at("2026-11-20 12:00"))
    assert [one.phase for one in due(DAILY, first, at("2026-11-20 13:30"))] == ["pre_open", "opening_auction", "open"]
    assert due(DAILY, first, first.at - timedelta(seconds=1)) == []


def test_of_several_days_only_what_followed_the_last_end_of_one_counts():
    first = next_after(DAILY, at("2026-11-16 12:00"))
    begun = due(DAILY, first, at("2026-11-20 12:50"))
    assert [one.phase for one in begun] == ["close", "pre_open", "opening_auction"]
    assert begun[0].at == at("2026-11-19 20:00")


def test_a_random_end_moves_what_follows_not_the_day_after():
    late = Beginning("open", at("2026-11-20 13:00") + timedelta(seconds=17))
    assert next_after(DAILY, late.at) == Beginning("closing_auction", at("2026-11-20 19:55"))
