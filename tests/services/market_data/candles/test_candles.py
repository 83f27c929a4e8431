"""Where candles begin, what fills their gaps, and what a day of the market is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from services.market_data.candles.intervals import INTERVALS
from tests.services.floor import Floor
from tests.services.market_data.candles.market import Market


@pytest.fixture(params=[True, False], ids=["reported", "not reported"])
def market(engine: Engine, request: pytest.FixtureRequest) -> Market:
    market = Market(Floor(engine))
    market.is_reported = request.param
    return market


def traded(market: Market, *trades: tuple[str, int, int]) -> None:
    """Trades at these moments, of so many shares at these prices; reported, if the story has a reporter."""
    for _, quantity, price in trades:
        market.trade(quantity, price)
    market.at(*(moment for moment, _, _ in trades))
    if market.is_reported:
        market.report()


def starts(candles: list[dict]) -> list[str]:
    return [candle["start"].removesuffix(".000000Z") for candle in candles]


def test_a_moment_belongs_to_the_candle_that_begins_with_it(market: Market) -> None:
    traded(
        market,
        ("2026-03-02T23:59:59.999999Z", 1, 100),
        ("2026-03-03T00:00:00Z", 2, 101),
    )
    for name, first in (
        ("1s", "23:59:59"),
        ("1m", "23:59:00"),
        ("5m", "23:55:00"),
        ("15m", "23:45:00"),
        ("1h", "23:00:00"),
    ):
        assert starts(market.candles(name)) == [f"2026-03-02T{first}", "2026-03-03T00:00:00"], name
    assert starts(market.candles("1d")) == ["2026-03-02T03:00:00"]  # in São Paulo it is 21:00


def test_a_day_is_the_markets_own(engine: Engine) -> None:
    market = Market(Floor(engine), zone="Europe/Berlin")
    market.is_reported = True
    traded(
        market,
        ("2026-03-28T22:59:59.999999Z", 1, 100),
        ("2026-03-28T23:00:00Z", 2, 101),  # a day of 23 hours begins
        ("2026-03-29T21:59:59Z", 4, 102),
        ("2026-03-29T22:00:00Z", 8, 103),
        ("2026-10-24T22:00:00Z", 16, 104),  # one of 25 hours
        ("2026-10-25T22:59:59Z", 32, 105),
        ("2026-10-25T23:00:00Z", 64, 106),
    )
    assert [(candle["start"][:16], candle["volume"]) for candle in market.candles("1d")] == [
        ("2026-03-27T23:00", 1), ("2026-03-28T23:00", 6), ("2026-03-29T22:00", 8), ("2026-10-24T22:00", 48),
        ("2026-10-25T23:00", 64),
    ]  # fmt: skip
    filled = market.candles("1d", fill=True, since="2026-10-23T22:00:00Z")
    assert starts(filled) == ["2026-10-23T22:00:00", "2026-10-24T22:00:00", "2026-10-25T23:00:00"]
    assert market.findings() == []


@pytest.mark.parametrize(
    ("zone", "moment", "start"),
    [
        ("America/Havana", "2026-11-01T04:30:00Z", "2026-11-01T04:00:00"),  # its clocks show 00:30 twice
        ("America/Havana", "2026-11-01T05:30:00Z", "2026-11-01T04:00:00"),
        ("America/Sao_Paulo", "2018-11-04T03:30:00Z", "2018-11-04T03:00:00"),  # and here there was no 00:30
        ("Asia/Kathmandu", "2026-03-01T18:14:59Z", "2026-02-28T18:15:00"),
    ],
)
def test_days_of_clocks_that_change_at_midnight(engine: Engine, zone: str, moment: str, start: str) -> None:
    market = Market(Floor(engine), zone=zone)
    market.is_reported = True
    traded(market, (moment, 1, 100))
    assert starts(market.candles("1d")) == [start]


def test_another_time_zone_has_other_days(engine: Engine) -> None:
    market = Market(Floor(engine), zone="UTC")
    market.is_reported = True
    traded(market, ("2026-03-02T02:00:00Z", 1, 100), ("2026-03-02T04:00:00Z", 2, 101))
    assert [candle["volume"] for candle in market.candles("1d")] == [3]
    market.zone = "America/Sao_Paulo"
    market.report()
    assert [candle["volume"] for candle in market.candles("1d")] == [1, 2]
    assert market.findings() == []


def test_only_what_is_asked_for(market: Market) -> None:
    traded(market, *((f"2026-03-02T10:0{minute}:30Z", 1, 100 + minute) for minute in range(5)))
    asked = market.candles("1m", since="2026-03-02T10:01:00Z", until="2026-03-02T10:03:00Z")
    assert [candle["open"] for candle in asked] == [101, 102]
    assert [candle["open"] for candle in market.candles("1m", limit=2)] == [100, 101]
    assert [candle["open"] for candle in market.candles("1m", since="2026-03-02T10:01:00.000001Z", limit=1)] == [102]


def test_gaps_between_trades_are_filled_with_the_close_before_them(market: Market) -> None:
    traded(
        market,
        ("2026-03-02T10:00:10Z", 5, 100),
        ("2026-03-02T10:00:20Z", 5, 110),
        ("2026-03-02T10:03:00Z", 7, 90),
    )
    unfilled = market.candles("1m")
    assert starts(unfilled) == ["2026-03-02T10:00:00", "2026-03-02T10:03:00"]
    filled = market.candles("1m", fill=True)
    assert starts(filled) == [f"2026-03-02T10:0{minute}:00" for minute in range(4)]
    flat = {"open": 110, "high": 110, "low": 110, "close": 110, "volume": 0, "vwap": None, "trade_count": 0}
    for candle in filled[1:3]:
        assert {name: candle[name] for name in flat} == flat
        assert candle["filled"]
        assert candle["closed"]
    for candle, whole in zip((filled[0], filled[3]), unfilled, strict=True):
        assert candle == {**whole, "filled": False}


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("10:00", "10:05", [0, 1, 2, 3]),  # none before the first, none behind the last
        ("10:01", "10:03", [1, 2]),  # in the middle of a gap
        ("10:02", "10:04", [2, 3]),
        ("09:00", "10:02", [0, 1]),
        ("09:00", "09:59", []),
        ("10:04", "10:09", []),
    ],
)
def test_a_gap_is_filled_wherever_the_list_begins_and_ends(
    market: Market, since: str, until: str, expected: list[int]
) -> None:
    traded(market, ("2026-03-02T10:00:10Z", 5, 100), ("2026-03-02T10:03:00Z", 7, 90))
    bounds = {"since": f"2026-03-02T{since}:00Z", "until": f"2026-03-02T{until}:00Z"}
    assert starts(market.candles("1m", fill=True, **bounds)) == [f"2026-03-02T10:0{minute}:00" for minute in expected]


def test_pages_of_filled_candles_meet(market: Market) -> None:
    traded(market, ("2026-03-02T10:00:10Z", 5, 100), ("2026-03-02T10:07:00Z", 7, 90), ("2026-03-02T10:08:00Z", 1, 95))
    whole = market.candles("1m", fill=True)
    assert len(whole) == 9
    pages, since = [], "2026-03-02T10:00:00Z"
    while page := market.candles("1m", fill=True, since=since, limit=2):
        pages += page
        since = (datetime.fromisoformat(page[-1]["start"]) + timedelta(minutes=1)).isoformat()
    assert pages == whole


def test_a_candle_is_closed_by_the_clock(market: Market) -> None:
    market.trade(1, 100)
    market.trade(1, 100)
    now = datetime.now(UTC)
    market.at((now - timedelta(hours=2)).isoformat(), now.isoformat())
    assert [candle["closed"] for candle in market.candles("1h")] == [True, False]


def test_the_day_of_a_ticker_is_the_last_24_hours_to_the_microsecond(market: Market) -> None:
    now = datetime.now(UTC)
    day = timedelta(hours=24)
    moments = [
        (now - day - timedelta(hours=3), 1, 95),
        (now - day - timedelta(milliseconds=1), 2, 97),
        (now - day + timedelta(seconds=30), 4, 100),  # the story takes less
        (now - day + timedelta(minutes=2), 8, 102),
        (now - day + timedelta(hours=5), 16, 90),
        (now - timedelta(seconds=1), 32, 101),
    ]
    traded(market, *((moment.isoformat(), quantity, price) for moment, quantity, price in moments))
    found = market.ticker()["day"]
    assert {name: found[name] for name in ("open", "high", "low", "close", "volume", "trade_count")} == {
        "open": 100, "high": 102, "low": 90, "close": 101, "volume": 60, "trade_count": 4,
    }  # fmt: skip
    assert (found["change"], found["change_bps"]) == (4, 412)  # against 97, the last price before
    assert found["turnover"] == 4 * 100 + 8 * 102 + 16 * 90 + 32 * 101


def test_without_a_price_before_the_day_counts_from_its_first(market: Market) -> None:
    now = datetime.now(UTC)
    traded(market, ((now - timedelta(hours=3)).isoformat(), 1, 200), ((now - timedelta(hours=1)).isoformat(), 1, 150))
    assert (market.ticker()["day"]["change"], market.ticker()["day"]["change_bps"]) == (-50, -2_500)


def test_every_interval_is_there() -> None:
    assert list(INTERVALS) == ["1s", "1m", "5m", "15m", "1h", "1d"]
