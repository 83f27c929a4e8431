"""The clock over REST: every market, where it is in its day, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from settings.sections import TradingSchedule
from tests.api.venue import Venue, settings_for


def test_an_exchange_that_is_always_open_says_so(venue: Venue) -> None:
    clock = venue.broker().get("/clock")
    assert datetime.fromisoformat(clock["now"]).year >= 2026
    (market,) = clock["markets"]
    since, until = (datetime.fromisoformat(market.pop(name)) for name in ("phase_since", "phase_until"))
    assert market == {
        "market": "main", "state": "open", "phase": "open", "random_end_seconds": 0, "next_open": None,
        "next_close": None, "timezone": "America/Sao_Paulo",
    }  # fmt: skip
    assert since <= datetime.fromisoformat(clock["now"]) < until


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
    auction = broker.get("/clock")["markets"][1]
    assert auction["state"] == "auction"  # its end is drawn by lot: it may take longer
    assert (auction["phase"], auction["random_end_seconds"]) == ("closing_auction", 30)
    assert auction["phase_until"] is not None
    venue.run("UPDATE market_sessions SET phase = 'close'")
    night = broker.get("/clock")["markets"][1]
    assert (night["state"], night["phase"], night["random_end_seconds"]) == ("closed", "closed", 0)
    venue.close()
