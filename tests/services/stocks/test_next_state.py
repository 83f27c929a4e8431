"""Which state follows the present one, by the schedule, and when."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.stocks.next_state import next_state
from settings.sections import DAILY, TradingSchedule

ALWAYS = TradingSchedule()
DAY = TradingSchedule(schedule=DAILY, timezone="America/Sao_Paulo")


def at(clock: str) -> datetime:
    """On a Friday, by the market's clocks."""
    return datetime.fromisoformat(f"2026-11-20T{clock}:00-03:00")


@pytest.mark.parametrize(
    ("schedule", "state", "reason", "since", "until", "following"),
    [
        (ALWAYS, "open", None, "12:00", None, None),
        (ALWAYS, "open", "roll", "00:00", None, None),
        (ALWAYS, "halted", "news", "12:00", None, None),
        (ALWAYS, "auction", "volatility", "12:00", "12:01", "open"),
        (DAY, "pre_open", "pre_open", "09:30", "09:45", "auction"),
        (DAY, "auction", "opening_auction", "09:45", "10:00", "open"),
        (DAY, "open", "open", "10:00", "16:55", "auction"),
        (DAY, "auction", "closing_auction", "16:55", "17:00", "closed"),
        (DAY, "auction", "volatility", "12:00", "12:01", "open"),
        (DAY, "auction", "resuming", "12:00", "16:55", None),  # the schedule begins another one then
        (DAY, "halted", "news", "12:00", None, None),
        (DAY, "delisted", "delisted", "12:00", None, None),
        (DAY, "open", "volatility_over", "12:01", "16:55", "auction"),
    ],
)
def test_what_follows(
    schedule: TradingSchedule, state: str, reason: str | None, since: str, until: str | None, following: str | None
) -> None:
    found = next_state(schedule, state, reason, at(since))
    assert found.state == following
    assert found.until == (None if until is None or following is None else at(until))


def test_the_night_lasts_over_the_weekend() -> None:
    found = next_state(DAY, "closed", "close", at("17:00"))
    assert (found.state, found.until) == ("pre_open", datetime.fromisoformat("2026-11-23T09:30:00-03:00"))
