"""Given a book, when somebody's order trades, then both are told how it came about, each as far as it is its own."""

import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from database.session import transaction
from services.accounts.errors import NotYourTrade, UnknownTrade
from services.explain.explain import explain
from services.explain.own_fill import read_own_fill
from services.history import rebuilding
from tests.services.floor import Floor


def explained(floor: Floor, broker: int, trade_id: int) -> dict[str, Any]:
    reading: partial[AbstractContextManager[Any]] = partial(transaction, floor.engine)
    with reading() as session:
        fill = read_own_fill(session, broker, trade_id)
    return explain(fill, reading)


def trades(floor: Floor, symbol: str) -> list[int]:
    """The ids of the stock's trades, oldest first."""
    rows = floor.query("SELECT id FROM trades WHERE stock_id = :id ORDER BY sequence", id=floor.symbols[symbol])
    return [row.id for row in rows]


def levels(told: dict[str, Any]) -> list[tuple[int | None, list[tuple[int, int]]]]:
    """Each level with (shown, taken) of its places."""
    return [(level["price"], [(o["quantity"], o["taken"]) for o in level["orders"]]) for level in told["levels"]]


def check_of(told: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in told["checks"] if each["check"] == name)
    return {key: value for key, value in found.items() if key != "check"}


def test_an_order_takes_the_best_price_and_then_the_next(floor):
    symbol = floor.stock(reference=3_600)
    seller, other, buyer = floor.broker(**{symbol: 5_000}), floor.broker(**{symbol: 5_000}), floor.broker()
    floor.charge(buyer, 0, 3)
    floor.ask(seller, symbol, 300, 3_642)
    floor.ask(other, symbol, 900, 3_643)
    floor.ask(seller, symbol, 1_400, 3_643)
    floor.ask(other, symbol, 2_600, 3_644)
    floor.bid(other, symbol, 1_900, 3_641)
    floor.match(symbol)
    bought = floor.bid(buyer, symbol, 500, 3_644)
    floor.match(symbol)
    first, second = trades(floor, symbol)

    told = explained(floor, buyer, first)
    assert (told["side"], told["price"], told["quantity"], told["liquidity"]) == ("bid", 3_642, 300, "taker")
    assert (told["order"]["order_id"], told["command_sequence"], told["command"]["kind"]) == (bought, 6, "new")
    assert levels(told) == [(3_642, [(300, 300)]), (3_643, [(900, 200), (1_400, 0)])]
    assert [o["in_this_trade"] for level in told["levels"] for o in level["orders"]] == [True, False, False]
    assert told["price_rule"] == {
        "rule": "maker",
        "sentence": "The order that waited sets the price: the ask at 3642 cents was there first.",
    }
    fee = -(-300 * 3_642 * 3 // 10_000)
    assert (told["improvement"], told["fee"]) == (600, fee)
    moved = [(t["kind"], t["asset"], t["from_account"], t["to_account"]) for t in told["transfers"]]
    assert moved == [
        ("trade", "cash", "own", "counterparty"),
        ("fee", "cash", "own", "exchange"),
        ("improvement", "cash", "own", "own"),
        ("trade", symbol, "counterparty", "own"),
    ]
    assert told["book_before"] == {
        "bids": [{"price": 3_641, "total_quantity": 1_900, "order_count": 1}],
        "asks": [
            {"price": 3_642, "total_quantity": 300, "order_count": 1},
            {"price": 3_643, "total_quantity": 2_300, "order_count": 2},
            {"price": 3_644, "total_quantity": 2_600, "order_count": 1},
        ],
    }
    assert told["book_after"]["asks"][0] == {"price": 3_643, "total_quantity": 2_100, "order_count": 2}
    assert check_of(told, "limit_price") == {"passed": True, "limit": 3_644, "price": 3_642}
    assert check_of(told, "price_band") == {
        "passed": True, "reference": 3_600, "lowest": 3_240, "highest": 3_960, "price": 3_642,
    }  # fmt: skip
    assert check_of(told, "trading_state") == {"passed": True, "state": "open"}
    assert check_of(told, "self_trade_prevention") == {"passed": True, "mode": "cancel_resting", "prevented": 0}
    reserved = check_of(told, "reserved")
    assert (reserved["needed"], reserved["asset"]) == (300 * 3_642 + fee, "cash")
    assert reserved["set_aside"] >= 300 * 3_644

    sold = explained(floor, seller, first)
    assert (sold["side"], sold["liquidity"], sold["improvement"], sold["fee"]) == ("ask", "maker", 0, 0)
    assert [o["order_id"] is not None for level in sold["levels"] for o in level["orders"]] == [True, False, True]
    assert [t["kind"] for t in sold["transfers"]] == ["trade", "trade"]  # what the buyer paid for it is the buyer's
    assert check_of(sold, "self_trade_prevention") == {"passed": True, "mode": None, "prevented": None}
    assert explained(floor, other, second)["levels"][1]["orders"][0]["in_this_trade"]


def test_an_iceberg_is_told_by_the_parts_that_showed(floor):
    symbol = floor.stock()
    hider, other, buyer = floor.broker(**{symbol: 500}), floor.broker(**{symbol: 500}), floor.broker()
    floor.ask(hider, symbol, 400, 3_500, display_quantity=100)
    floor.ask(other, symbol, 30, 3_500)
    floor.match(symbol)
    floor.bid(buyer, symbol, 250, 3_500)
    floor.match(symbol)
    told = explained(floor, buyer, trades(floor, symbol)[0])
    (level,) = told["levels"]
    assert (level["total_quantity"], level["order_count"]) == (130, 2)
    assert levels(told) == [(3_500, [(100, 100), (30, 30), (100, 100), (100, 20)])]
    since = [o["entered_at"] for o in level["orders"]]
    assert since[0] == since[1] < since[2] == since[3] == told["executed_at"]
    assert told["book_after"]["asks"] == [{"price": 3_500, "total_quantity": 80, "order_count": 1}]


def test_what_an_iceberg_shows_anew_and_nobody_took_is_not_told(floor):
    symbol, stranger, buyer = floor.stock(), floor.broker(), floor.broker()
    floor.bid(buyer, symbol, 100, 3_500, display_quantity=10)
    floor.match(symbol)
    seller = floor.broker(**{symbol: 10})
    floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol)
    assert levels(explained(floor, seller, *trades(floor, symbol))) == [(3_500, [(10, 10)])]
    with pytest.raises(NotYourTrade):
        explained(floor, stranger, *trades(floor, symbol))


def test_in_an_auction_all_trade_at_one_price_and_what_was_hidden_is_one_sum(floor):
    symbol = floor.stock()
    seller, hider, buyer = floor.broker(**{symbol: 500}), floor.broker(), floor.broker()
    floor.put_into(symbol, "auction")
    floor.bid(hider, symbol, 60, 3_520, display_quantity=10)
    floor.bid(buyer, symbol, 30, None)
    floor.bid(buyer, symbol, 40, 3_510)
    asked = floor.ask(seller, symbol, 100, 3_490)
    floor.match(symbol)
    floor.put_into(symbol, "open")
    told = explained(floor, seller, trades(floor, symbol)[0])
    assert (told["liquidity"], told["price_rule"]["rule"], told["command"]["kind"]) == ("auction", "auction", "state")
    assert told["order"]["order_id"] == asked
    assert levels(told) == [(None, [(30, 30)]), (3_520, [(10, 10)]), (3_510, [(40, 10)])]
    assert told["hidden_taken"] == 50
    assert told["improvement"] == (told["price"] - 3_490) * told["quantity"] > 0
    assert check_of(told, "trading_state") == {"passed": True, "state": "auction"}
    assert [level["price"] for level in told["book_before"]["bids"]] == [None, 3_520, 3_510]
    bought = explained(floor, buyer, trades(floor, symbol)[0])
    assert levels(bought) == [(3_490, [(100, 100)])]


def test_a_stop_that_a_trade_elects_meets_what_the_trade_has_left(floor):
    symbol = floor.stock()
    seller, buyer, stopped = floor.broker(**{symbol: 100}), floor.broker(), floor.broker()
    floor.ask(seller, symbol, 10, 3_500)
    floor.ask(seller, symbol, 20, 3_505)
    floor.match(symbol)
    floor.bid(stopped, symbol, 15, 3_510, stop_price=3_500)
    floor.match(symbol)
    floor.bid(buyer, symbol, 12, 3_505)
    floor.match(symbol)
    *_, last = trades(floor, symbol)
    told = explained(floor, stopped, last)
    assert levels(told) == [(3_505, [(18, 15)])]
    assert [level["total_quantity"] for level in told["book_before"]["asks"]] == [10, 20]
    assert [level["total_quantity"] for level in told["book_after"]["asks"]] == [3]
    assert check_of(told, "stop_price")["stop_price"] == 3_500
    assert (told["improvement"], told["command"]["kind"]) == (75, "new")


def test_where_the_sellers_price_counts_the_levels_have_their_own(floor):
    symbol = floor.stock(execution_price="seller")
    buyer, seller = floor.broker(), floor.broker(**{symbol: 20})
    floor.bid(buyer, symbol, 10, 3_510)
    floor.bid(buyer, symbol, 10, 3_505)
    floor.match(symbol)
    floor.ask(seller, symbol, 15, 3_500)
    floor.match(symbol)
    told = explained(floor, buyer, trades(floor, symbol)[0])
    assert (told["price"], told["price_rule"]["rule"], told["improvement"]) == (3_500, "seller", 100)
    assert levels(told) == [(3_510, [(10, 10)]), (3_505, [(10, 5)])]


def test_an_order_of_ones_own_that_was_in_the_way_says_so_to_its_owner_alone(floor):
    symbol = floor.stock()
    broker, other = floor.broker(**{symbol: 10}), floor.broker(**{symbol: 10})
    floor.ask(broker, symbol, 10, 3_500)
    floor.ask(other, symbol, 10, 3_500)
    floor.match(symbol)
    floor.bid(broker, symbol, 10, 3_500)
    floor.match(symbol)
    (trade,) = trades(floor, symbol)
    for told_to, prevented in ((broker, 10), (other, 0)):
        told = explained(floor, told_to, trade)
        assert levels(told) == [(3_500, [(10, 0), (10, 10)])]
        assert told["levels"][0]["orders"][0]["prevented"] == prevented
    assert check_of(explained(floor, broker, trade), "self_trade_prevention")["prevented"] == 10


def test_what_had_expired_by_then_was_in_the_book_before_and_met_nobody(floor):
    symbol = floor.stock()
    short, long, buyer = floor.broker(**{symbol: 10}), floor.broker(**{symbol: 10}), floor.broker()
    until = datetime.now(UTC) + timedelta(milliseconds=800)
    floor.ask(short, symbol, 10, 3_500, valid_until=until)
    floor.ask(long, symbol, 10, 3_500)
    floor.match(symbol)
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 0.02)
    floor.bid(buyer, symbol, 10, 3_500)
    floor.match(symbol)
    told = explained(floor, buyer, *trades(floor, symbol))
    assert told["book_before"]["asks"] == [{"price": 3_500, "total_quantity": 20, "order_count": 2}]
    assert (levels(told), told["book_after"]["asks"]) == ([(3_500, [(10, 10)])], [])


def test_an_amendment_and_a_closed_position_bring_trades_too(floor):
    symbol = floor.stock()
    owner, other = floor.broker(**{symbol: 10}), floor.broker()
    asked = floor.ask(owner, symbol, 5, 3_600)
    floor.bid(other, symbol, 10, 3_500)
    floor.match(symbol)
    floor.amend(owner, asked, price=3_500)
    floor.match(symbol)
    floor.close(owner, symbol)
    floor.match(symbol)
    by_amendment, by_closing = trades(floor, symbol)
    assert explained(floor, owner, by_amendment)["command"]["kind"] == "amend"
    assert explained(floor, owner, by_closing)["command"]["kind"] == "close"
    assert explained(floor, other, by_closing)["command"]["kind"] == "new"  # why somebody sells is his affair
    assert explained(floor, owner, by_closing)["improvement"] == 0  # it had no limit


def test_a_broker_on_both_sides_is_told_of_the_one_that_came(floor):
    symbol = floor.stock()
    broker = floor.broker(**{symbol: 10})
    first = floor.bid(broker, symbol, 10, 3_510, document_number="1")
    floor.match(symbol)
    second = floor.ask(broker, symbol, 10, 3_510, document_number="2")
    floor.match(symbol)
    told = explained(floor, broker, *trades(floor, symbol))
    assert (told["order"]["order_id"], told["other_order_id"], told["liquidity"]) == (second, first, "taker")
    assert all(t["from_account"] == t["to_account"] == "own" for t in told["transfers"])


def test_where_the_book_cannot_be_had_the_rest_is_told(floor, monkeypatch):
    monkeypatch.setattr(rebuilding, "MOST_COMMANDS", 2)
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    for price in (3_500, 3_500, 3_505, 3_510):
        floor.ask(seller, symbol, 10, price)
    floor.match(symbol)
    floor.bid(buyer, symbol, 25, 3_505)
    floor.match(symbol)
    told = explained(floor, buyer, trades(floor, symbol)[0])
    assert told["left_out"]["code"] == "too_far"
    assert (told["book_before"], told["book_after"], told["hidden_taken"]) == (None, None, None)
    assert levels(told) == [(3_500, [(None, 10), (None, 10)]), (3_505, [(None, 5)])]
    assert {each["check"] for each in told["checks"]} == {
        "price_band", "trading_state", "tick", "lot", "limit_price", "reserved",
    }  # fmt: skip
    assert all(each["passed"] for each in told["checks"])
    assert (told["improvement"], len(told["transfers"])) == (50, 3)


def test_a_moment_that_brings_another_trade_is_not_told(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 10, 3_500)
    floor.bid(buyer, symbol, 10, 3_500)
    floor.match(symbol)
    (trade,) = trades(floor, symbol)
    floor.run("UPDATE trades SET price = 3499 WHERE id = :id", id=trade)
    told = explained(floor, buyer, trade)
    floor.run("UPDATE trades SET price = 3500 WHERE id = :id", id=trade)
    assert (told["left_out"]["code"], told["book_before"]) == ("not_reproduced", None)
    assert explained(floor, buyer, trade)["left_out"] is None


def test_there_is_no_such_trade(floor):
    with pytest.raises(UnknownTrade):
        explained(floor, floor.broker(), 10**9)
