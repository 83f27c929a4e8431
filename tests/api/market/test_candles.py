"""Candles over REST: which, in which order, page by page, and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from database.session import transaction
from services.market_data.candles.intervals import INTERVALS, zones_of
from services.market_data.candles.report import keep_up_with_stocks, report
from tests.api.venue import Venue


def got(venue: Venue, path: str) -> Any:
    answer = venue.nobody.call("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.fixture
def stock(venue: Venue) -> str:
    return venue.list(band=0)


def trade(venue: Venue, stock: str, *moments: str, prices: tuple[int, ...] = ()) -> None:
    """Trades of 10 shares at these moments."""
    seller, buyer = venue.broker(shares={stock: 1_000}), venue.broker()
    for number in range(len(moments)):
        price = prices[number] if prices else 1_000 + number
        seller.order("ask", stock, 10, price)
        buyer.order("bid", stock, 10, price)
        venue.match()
    venue.run(
        """
        UPDATE trades t SET executed_at = (CAST(:moments AS timestamptz[]))[t.sequence]
        FROM stocks s WHERE s.id = t.stock_id AND s.symbol = :stock
        """,
        moments=list(moments), stock=stock,
    )  # fmt: skip


def reported(venue: Venue) -> None:
    with transaction(venue.engine) as session:
        keep_up_with_stocks(session, zones_of(venue.settings))
        report(session)


MINUTES = tuple(f"2026-03-02T10:{minute:02}:30Z" for minute in (0, 1, 2, 5, 6))


def starts(answer: dict[str, Any]) -> list[str]:
    return [candle["start"][11:16] for candle in answer["items"]]


@pytest.mark.parametrize("is_reported", [True, False])
def test_candles_come_oldest_first_page_by_page(venue: Venue, stock: str, is_reported: bool) -> None:
    trade(venue, stock, *MINUTES)
    if is_reported:
        reported(venue)
    whole = got(venue, f"/stocks/{stock}/candles")
    assert starts(whole) == ["10:00", "10:01", "10:02", "10:05", "10:06"]
    assert whole["next_cursor"] is None
    assert whole["items"][0] == {
        "start": "2026-03-02T10:00:00.000000Z", "open": 1_000, "high": 1_000, "low": 1_000, "close": 1_000,
        "volume": 10, "vwap": 1_000, "trade_count": 1, "closed": True,
    }  # fmt: skip
    for fill in ("", "&fill=true"):
        wanted = got(venue, f"/stocks/{stock}/candles?limit=500{fill}")["items"]
        pages, cursor = [], ""
        while cursor is not None:
            answer = got(venue, f"/stocks/{stock}/candles?limit=2{fill}{cursor and f'&cursor={cursor}'}")
            assert len(answer["items"]) <= 2
            pages += answer["items"]
            cursor = answer["next_cursor"]
        assert pages == wanted
    assert len(wanted) == 7


def test_from_is_included_and_to_is_not(venue: Venue, stock: str) -> None:
    trade(venue, stock, *MINUTES)
    path = f"/stocks/{stock.lower()}/candles?interval=1m&from=2026-03-02T10:01:00Z&to=2026-03-02T10:05:00Z"
    assert starts(got(venue, path)) == ["10:01", "10:02"]
    assert starts(got(venue, f"{path}&fill=true")) == ["10:01", "10:02", "10:03", "10:04"]
    filled = got(venue, f"{path}&fill=true")["items"][-1]
    assert (filled["close"], filled["volume"], filled["vwap"], filled["filled"]) == (1_002, 0, None, True)


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_has_all_trades(venue: Venue, stock: str, interval: str) -> None:
    trade(venue, stock, *MINUTES)
    items = got(venue, f"/stocks/{stock}/candles?interval={interval}")["items"]
    assert sum(candle["trade_count"] for candle in items) == 5
    assert (items[0]["open"], items[-1]["close"]) == (1_000, 1_004)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("interval=2m", "interval"), ("interval=", "interval"), ("from=2026-03-02", "from"), ("to=soon", "to"),
        ("from=2026-03-02T10:00:00Z&to=2026-03-02T10:00:00Z", "to"),
        ("from=2026-03-03T10:00:00Z&to=2026-03-02T10:00:00Z", "to"),
        ("limit=0", "limit"), ("limit=501", "limit"), ("fill=1", "fill"), ("fill=yes", "fill"), ("cursor=x", "cursor"),
        ("interval=1m&interval=5m", "interval"), ("since=2026-03-02T10:00:00Z", "since"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named(venue: Venue, stock: str, query: str, field: str) -> None:
    refused = venue.nobody.call("GET", f"/stocks/{stock}/candles?{query}")
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field])


def test_of_no_stock_there_are_no_candles(venue: Venue) -> None:
    for path in ("/stocks/NONE9/candles", "/stocks/NONE9/candles?fill=true", "/stocks/NONE9/ticker"):
        refused = venue.nobody.call("GET", path)
        assert (refused.status_code, refused.json["code"]) == (404, "unknown_stock")


def test_csv_says_the_same(venue: Venue, stock: str) -> None:
    trade(venue, stock, *MINUTES, prices=(1_000, 1_001, 1_002, 999, 998))
    path = f"/stocks/{stock}/candles?fill=true&limit=4"
    answer = venue.nobody.call("GET", path, headers={"Accept": "text/csv"})
    assert answer.content_type == "text/csv; charset=utf-8"
    assert 'rel="next"' in answer.headers["Link"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    items = got(venue, path)["items"]
    assert [row["start"] for row in rows] == [item["start"] for item in items]
    assert [row["vwap"] for row in rows] == ["1000", "1001", "1002", ""]
    assert [int(row["volume"]) for row in rows] == [item["volume"] for item in items]
    assert [row["filled"] for row in rows] == ["false", "false", "false", "true"]


def test_a_bust_is_out_of_every_figure_at_once_with_and_without_a_reporter(venue: Venue, stock: str) -> None:
    trade(venue, stock, *MINUTES)
    reported(venue)
    venue.run(
        """
        WITH stock AS (
            UPDATE stocks SET event_sequence = event_sequence + 1 WHERE symbol = :stock RETURNING id, event_sequence
        ), busted AS (
            UPDATE trades t SET busted_at = now() FROM stock
            WHERE t.stock_id = stock.id AND t.sequence = 5 RETURNING t.id
        )
        INSERT INTO events (stock_id, sequence, kind, payload)
        SELECT stock.id, event_sequence, 'TRADE_BUSTED', json_build_object('trade_id', busted.id) FROM stock, busted
        """,
        stock=stock,
    )
    assert starts(got(venue, f"/stocks/{stock}/candles")) == ["10:00", "10:01", "10:02", "10:05"]
    (day,) = got(venue, f"/stocks/{stock}/candles?interval=1d")["items"]
    assert (day["trade_count"], day["high"]) == (4, 1_003)
    ticker = got(venue, f"/stocks/{stock}/ticker")
    assert (ticker["session"]["trade_count"], ticker["session"]["high"]) == (4, 1_003)
