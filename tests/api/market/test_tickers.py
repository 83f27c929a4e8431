"""Tickers, sparklines, and what a page has to know, over REST."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import Any

import pytest

from api.operations.config import live_url
from settings.processes import Live
from settings.version import version
from tests.api.venue import Venue

EVERYWHERE = "0.0.0.0"  # noqa: S104


def got(venue: Venue, path: str) -> Any:
    answer = venue.nobody.call("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json


def trade(venue: Venue, stock: str, *prices: int) -> None:
    seller, buyer = venue.broker(shares={stock: 1_000}), venue.broker()
    for price in prices:
        seller.order("ask", stock, 10, price)
        buyer.order("bid", stock, 10, price)
    venue.match()


def test_a_ticker_says_it_all_of_one_moment(venue: Venue) -> None:
    stock = venue.list(symbol="TICK1")
    trade(venue, stock, 3_500, 3_540, 3_480, 3_510)
    venue.broker(shares={stock: 7}).order("ask", stock, 7, 3_600)
    venue.broker().order("bid", stock, 3, 3_400)
    venue.match()
    ticker = got(venue, f"/stocks/{stock}/ticker")
    figures = {
        "open": 3_500, "high": 3_540, "low": 3_480, "close": 3_510, "volume": 40, "turnover": 140_300, "vwap": 3_507.5,
        "trade_count": 4, "change": 10, "change_bps": 29,
    }  # fmt: skip
    assert ticker == {
        "symbol": stock, "state": "open", "last_price": 3_510, "bid": 3_400, "bid_quantity": 3, "ask": 3_600,
        "ask_quantity": 7, "day": figures, "session": figures, "sequence": 4, "updated_at": ticker["updated_at"],
    }  # fmt: skip


def test_tickers_of_one_of_several_and_of_all(venue: Venue) -> None:
    names = [venue.list(symbol=f"TICK{number}") for number in (2, 3, 4)]
    everything = got(venue, "/ticker")
    symbols = [one["symbol"] for one in everything["items"]]
    assert symbols == sorted(symbols)
    assert set(names) <= set(symbols)
    assert everything["next_cursor"] is None
    some = got(venue, "/ticker?symbol=tick4&symbol=TICK2&symbol=NONE9&symbol=TICK4")["items"]
    assert [one["symbol"] for one in some] == ["TICK2", "TICK4"]
    assert some == [got(venue, f"/stocks/{one['symbol']}/ticker") for one in some]
    refused = venue.nobody.call("GET", "/ticker?symbol=no-stock!")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["symbol"])


def test_a_delisted_stock_is_in_no_list(venue: Venue) -> None:
    stock = venue.list(symbol="GONE1")
    with venue.matching():
        venue.admin.delete(f"/stocks/{stock}")
    assert stock not in [one["symbol"] for one in got(venue, "/ticker")["items"]]
    assert got(venue, f"/stocks/{stock}/ticker")["state"] == "delisted"


def test_figures_agree_however_often_they_are_asked_for_under_load(venue: Venue) -> None:
    stock = venue.list(symbol="TICK5")
    seller, buyer = venue.broker(shares={stock: 10_000}, cash=10**12), venue.broker(cash=10**12)
    over = threading.Event()

    def trades() -> None:
        for number in range(150):
            price = 3_500 + number * 37 % 200
            seller.order("ask", stock, 1, price)
            buyer.order("bid", stock, 1, price)
            venue.match()
        over.set()

    thread = threading.Thread(target=trades)
    thread.start()
    seen: list[dict[str, Any]] = []
    while not over.is_set():
        seen.append(got(venue, f"/stocks/{stock}/ticker"))
    thread.join()
    assert len(seen) > 20
    for ticker in seen:
        for figures in (ticker["day"], ticker["session"]):
            if figures["trade_count"]:
                prices = (figures["open"], figures["close"], figures["vwap"], ticker["last_price"])
                assert figures["low"] <= min(prices)
                assert max(prices) <= figures["high"]
                assert figures["close"] == ticker["last_price"]
        assert ticker["session"]["volume"] == ticker["session"]["trade_count"] == ticker["sequence"]


def test_sparklines_of_all_stocks_in_one_answer(venue: Venue) -> None:
    silent, traded = venue.list(symbol="TICK6"), venue.list(symbol="TICK7")
    trade(venue, traded, 3_500, 3_550)
    venue.app.extensions["minex"].sparklines._kept.clear()
    found = {one["symbol"]: one["closes"] for one in got(venue, "/sparklines?interval=1m&points=5")["items"]}
    assert found[silent] == []
    assert found[traded] == [3_550]
    assert venue.nobody.call("GET", "/sparklines?points=1").status_code == 422
    assert venue.nobody.call("GET", "/sparklines?interval=7m").status_code == 422


def test_what_a_page_has_to_know(venue: Venue) -> None:
    found = got(venue, "/config")
    assert found.keys() == {
        "name", "version", "currency", "epoch", "live_url", "signup", "signup_cash", "username_rule", "password_rule",
        "features",
    }  # fmt: skip
    assert (found["name"], found["currency"], found["signup"]) == ("Minex", "BRL", True)
    assert re.fullmatch("[0-9a-f]{12}", found["epoch"])
    assert found["live_url"] == "http://127.0.0.1:8001"
    assert found["version"] == version()


@pytest.mark.parametrize(
    ("changes", "host", "expected"),
    [
        ({}, "localhost:8000", "http://127.0.0.1:8001"),
        ({"host": EVERYWHERE, "port": 9001}, "desk.example:8000", "http://desk.example:9001"),
        ({"host": "::", "port": 9001}, "[2001:db8::1]:8000", "http://[2001:db8::1]:9001"),
        ({"host": "::", "port": 9001}, "[2001:db8::1]", "http://[2001:db8::1]:9001"),
        ({"host": EVERYWHERE}, "desk.example", "http://desk.example:8001"),
        ({"host": EVERYWHERE}, "", "http://127.0.0.1:8001"),
        ({"url": "https://live.desk.example"}, "desk.example", "https://live.desk.example"),
    ],
)
def test_where_the_streams_are(changes: dict[str, Any], host: str, expected: str) -> None:
    assert live_url(replace(Live(), **changes), host) == expected


def test_the_epoch_is_another_one_after_a_reset(venue: Venue) -> None:
    before = got(venue, "/config")["epoch"]
    assert got(venue, "/config")["epoch"] == before
    stock = venue.list(symbol="TICK8")
    trade(venue, stock, 3_500)
    assert venue.admin.post("/debug/reset", None).status_code == 204
    assert got(venue, "/config")["epoch"] != before
    ticker = got(venue, f"/stocks/{stock}/ticker")
    assert (ticker["sequence"], ticker["bid_quantity"], ticker["session"]["trade_count"]) == (0, None, 0)
    assert got(venue, f"/stocks/{stock}/candles")["items"] == []
