"""The clock over REST: every market, where it is in its day, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from settings.sections import TradingSchedule
from tests.api.venue import Venue, settings_for


def test_an_exchange_that_is_always_open_says_so(venue: Venue) -> None:
    clock = venue.broker().get("/clock")
    assert datetime.fromisoformat(clock["now"]).year >= 2026
    assert clock["markets"] == [
        {"market": "main", "state": "open", "next_open": None, "next_close": None, "timezone": "America/Sao_Paulo"}
    ]


def test_each_market_has_its_own_hours_and_is_in_the_phase_that_it_was_asked_to_enter(
    database_url: str, redis_url: str
) -> None:
    settings = settings_for(database_url, redis_url)
    lisbon = TradingSchedule(schedule="daily", timezone="Europe/Lisbon")
    venue = Venue(replace(settings, sessions={"lisbon": lisbon}))
    broker = venue.broker()
    main, other = broker.get("/clock")["markets"]
    assert (main["market"], other["market"], other["timezone"]) == ("main", "lisbon", "Europe/Lisbon")
    assert other["next_open"].endswith(".000000Z")
    assert other["next_close"] is not None
    venue.run("INSERT INTO market_sessions VALUES ('lisbon', '', 'closing_auction', now(), 'close', now())")
    assert broker.get("/clock")["markets"][1]["state"] == "auction"  # its end is drawn by lot: it may take longer
    venue.close()
