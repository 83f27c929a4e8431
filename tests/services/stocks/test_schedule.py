"""Given a market's hours, when a moment comes, then it is in this phase, and that one is next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.stocks.schedule import Beginning, due, longest_delay, next_after, phase_at
from settings.sections import TradingSchedule
from settings.values import WEEKDAYS

DAILY = TradingSchedule(schedule="daily", holidays=("2026-12-25",))
"""São Paulo is three hours behind UTC: ten o'clock there is thirteen here."""


def at(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


def coming(schedule: TradingSchedule, now: str) -> Beginning:
    """What begins next."""
    return next_after(schedule, phase_at(schedule, at(now)))


def phases(beginnings: list[Beginning]) -> list[str]:
    return [beginning.phase for beginning in beginnings]


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
    present = phase_at(DAILY, at(now))
    assert present.phase == phase
    assert next_after(DAILY, present) == Beginning(following, at(begins))


def test_times_are_those_of_the_markets_own_clocks():
    """In New York ten o'clock is an hour later in UTC once summer time has ended."""
    new_york = TradingSchedule(schedule="daily", timezone="America/New_York")
    assert coming(new_york, "2026-10-30 13:50") == Beginning("open", at("2026-10-30 14:00"))
    assert coming(new_york, "2026-11-02 14:50") == Beginning("open", at("2026-11-02 15:00"))


def test_a_market_that_is_always_open_rolls_once_a_day():
    assert coming(TradingSchedule(), "2026-11-21 15:00") == Beginning("roll", at("2026-11-22 03:00"))
    later = TradingSchedule(roll_at="18:30")
    assert coming(later, "2026-11-21 15:00") == Beginning("roll", at("2026-11-21 21:30"))


def test_a_market_without_days_is_closed():
    never = TradingSchedule(schedule="daily", days=())
    assert phase_at(never, at("2026-11-20 15:00")).phase == "close"
    assert coming(never, "2026-11-20 15:00").phase == "close"


def test_what_began_while_nobody_looked_is_made_up_for():
    first = coming(DAILY, "2026-11-20 12:00")
    assert phases(due(DAILY, first, at("2026-11-20 13:30"))) == ["pre_open", "opening_auction", "open"]
    assert due(DAILY, first, first.at - timedelta(seconds=1)) == []


def test_of_several_days_only_what_followed_the_last_end_of_one_counts():
    first = coming(DAILY, "2026-11-16 12:00")
    begun = due(DAILY, first, at("2026-11-20 12:50"))
    assert phases(begun) == ["close", "pre_open", "opening_auction"]
    assert begun[0].at == at("2026-11-19 20:00")


def test_a_random_end_moves_what_follows_not_the_day_after():
    late = Beginning("open", at("2026-11-20 13:00") + timedelta(seconds=17))
    assert next_after(DAILY, late) == Beginning("closing_auction", at("2026-11-20 19:55"))


def test_an_auction_that_ends_late_is_followed_by_what_was_due_meanwhile():
    early = replace(DAILY, pre_open="00:10", close="23:59")
    late = Beginning("close", at("2026-11-20 03:30"))  # of Thursday; half past midnight of Friday in São Paulo
    assert next_after(early, late) == Beginning("pre_open", at("2026-11-20 03:10"))
    assert phases(due(early, late, at("2026-11-20 04:00"))) == ["close", "pre_open"]


def test_a_random_end_does_not_reach_into_what_comes_after():
    short = replace(DAILY, open="16:54:50", random_end_seconds=3_600)
    assert longest_delay(short, Beginning("open", at("2026-11-20 19:54:50"))) == 10_000
    assert longest_delay(DAILY, Beginning("open", at("2026-11-20 13:00"))) == 30_000


def day_of(schedule: TradingSchedule, day: str) -> list[tuple[str, str]]:
    """What begins between noon of the day before and noon of the day after (UTC): phase, and time of the market."""
    beginning = phase_at(schedule, at(f"{day} 12:00") - timedelta(days=1))
    seen = []
    while (beginning := next_after(schedule, beginning)).at < at(f"{day} 12:00") + timedelta(days=1):
        shown = beginning.at.astimezone(ZoneInfo(schedule.timezone))
        seen.append((beginning.phase, f"{shown:%d %H:%M}"))
    return seen


EVERY_DAY = replace(DAILY, days=WEEKDAYS, holidays=())


def test_phases_in_the_hour_that_the_clocks_skip_begin_when_they_skip_it():
    santiago = replace(
        EVERY_DAY, timezone="America/Santiago", pre_open="00:00", opening_auction="00:30", open="01:00",
        closing_auction="05:00", close="06:00",
    )  # fmt: skip
    assert day_of(santiago, "2026-09-06") == [
        ("pre_open", "06 01:00"), ("opening_auction", "06 01:00"), ("open", "06 01:00"),
        ("closing_auction", "06 05:00"), ("close", "06 06:00"), ("pre_open", "07 00:00"),
        ("opening_auction", "07 00:30"), ("open", "07 01:00"), ("closing_auction", "07 05:00"), ("close", "07 06:00"),
    ]  # fmt: skip
    after = at("2026-09-06 04:00:01")
    assert phase_at(santiago, after) == Beginning("open", at("2026-09-06 04:00"))
    first = coming(santiago, "2026-09-06 03:59:59")
    assert phases(due(santiago, first, after)) == ["pre_open", "opening_auction", "open"]
    new_york = replace(
        EVERY_DAY, timezone="America/New_York", pre_open="01:30", opening_auction="02:15", open="02:45",
        closing_auction="02:50", close="03:10",
    )  # fmt: skip
    assert day_of(new_york, "2026-03-08")[:5] == [
        ("pre_open", "08 01:30"), ("opening_auction", "08 03:00"), ("open", "08 03:00"),
        ("closing_auction", "08 03:00"), ("close", "08 03:10"),
    ]  # fmt: skip


def test_clocks_put_back_over_midnight_do_not_bring_yesterday_back():
    """In St. John's they went from 00:01 back to 23:01 of the day before."""
    st_johns = replace(
        EVERY_DAY, timezone="America/St_Johns", pre_open="00:00:30", opening_auction="04:00", open="05:00",
        closing_auction="22:00", close="23:30",
    )  # fmt: skip
    again = at("2006-10-29 02:40")  # the clocks show 23:10 of the 28th, for the second time
    assert phase_at(st_johns, again) == Beginning("pre_open", at("2006-10-29 02:30:30"))


def test_a_date_that_the_clocks_never_show_is_no_trading_day():
    samoa = replace(EVERY_DAY, timezone="Pacific/Apia")
    days = [shown for phase, shown in day_of(samoa, "2011-12-30") if phase == "open"]
    assert days == ["29 10:00", "31 10:00"]
    roll = TradingSchedule(timezone="Pacific/Apia", roll_at="18:00")
    assert day_of(roll, "2011-12-30") == [("roll", "29 18:00"), ("roll", "31 18:00")]
