"""Since when the figures of a session count, and what else a ticker says."""

from __future__ import annotations

import pytest

from tests.services.floor import Floor
from tests.services.market_data.candles.market import Market


@pytest.fixture(params=[True, False], ids=["reported", "not reported"])
def market(floor: Floor, request: pytest.FixtureRequest) -> Market:
    market = Market(floor)
    market.is_reported = request.param
    return market


def test_a_session_begins_with_a_roll(market: Market) -> None:
    market.trade(10, 3_600)
    if market.is_reported:
        market.report()
    found = market.ticker()["session"]
    assert (found["open"], found["change"], found["volume"]) == (3_600, 100, 10)  # it was listed at 3,500
    market.floor.change(market.symbol, "roll")
    market.floor.match(market.symbol)
    assert market.ticker()["session"] == {
        "open": None, "high": None, "low": None, "close": None, "volume": 0, "turnover": 0, "vwap": None,
        "trade_count": 0, "change": 0, "change_bps": 0,
    }  # fmt: skip
    market.trade(5, 3_564)
    if market.is_reported:
        market.report()
    found = market.ticker()["session"]
    assert (found["open"], found["change"], found["change_bps"], found["volume"]) == (3_564, -36, -100, 5)


def test_a_day_stands_until_the_next_one_begins(market: Market) -> None:
    """Closed, with the roll that a schedule sends along; then an opening auction, whose price is the reference."""
    market.trade(10, 3_600)
    for change in (("state", "closed"), ("roll",)):
        market.floor.change(market.symbol, *change)
    market.floor.match(market.symbol)
    found = market.ticker()["session"]
    assert (found["volume"], found["change"]) == (10, 100)
    market.floor.change(market.symbol, "state", "auction")
    market.floor.match(market.symbol)
    assert (market.ticker()["session"]["volume"], market.ticker()["session"]["change"]) == (0, 0)
    market.trade(7, 3_700)
    market.floor.change(market.symbol, "state", "open")
    market.floor.match(market.symbol)
    market.trade(1, 3_720)
    if market.is_reported:
        market.report()
    found = market.ticker()["session"]
    assert (found["open"], found["volume"], found["change"]) == (3_700, 8, 20)
    assert (
        market.floor.query("SELECT reference_price FROM stocks WHERE id = :id", id=market.id)[0].reference_price
        == 3_700
    )


def test_the_best_of_the_book_and_how_much_shows_there(market: Market) -> None:
    floor = market.floor
    floor.bid(market.buyer, market.symbol, 100, 3_400, display_quantity=10)
    floor.bid(market.buyer, market.symbol, 5, 3_400)
    floor.ask(market.seller, market.symbol, 7, 3_600)
    floor.match(market.symbol)
    found = market.ticker()
    assert (found["bid"], found["bid_quantity"], found["ask"], found["ask_quantity"]) == (3_400, 15, 3_600, 7)
    floor.ask(market.seller, market.symbol, 12, 3_400)  # the iceberg shows its next ten
    floor.match(market.symbol)
    assert market.ticker()["bid_quantity"] == floor.query(
        "SELECT sum(coalesce(shown_quantity, remaining_quantity)) AS shown FROM orders"
        " WHERE stock_id = :id AND side = 'bid' AND closed_at IS NULL", id=market.id
    )[0].shown  # fmt: skip
