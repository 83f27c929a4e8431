"""A resting order whose broker's rows cannot take a trade is taken out itself; whoever meets it trades on."""

import json
from contextlib import contextmanager

import pytest

from database.session import transaction
from models import CASH
from services.verify import verify

TOO_FULL = 2**63 - 1 - 5
"""Cents after which another few no longer fit into the row."""


@pytest.fixture
def drain(exchange):
    def drain(symbol):
        matcher = exchange.matcher()
        while matcher.run_once([symbol]):
            continue

    return drain


@contextmanager
def full_account(exchange, broker, asset=CASH):
    """The broker's account of this asset takes but a few more cents or shares, while this lasts."""
    place = f"WHERE broker_id = {broker} AND asset_id = {asset}"
    ((held,),) = exchange.rows(f"SELECT available FROM balances {place}")
    change = f"UPDATE balances SET available = available + CAST(%s AS bigint) {place}"
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(change, (TOO_FULL - held,))
    try:
        yield
    finally:
        with exchange.engine.begin() as connection:
            connection.exec_driver_sql(change, (held - TOO_FULL,))


def ask_for_state(exchange, symbol, state):
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO commands (stock_id, kind, payload) SELECT id, 'state', %s FROM stocks WHERE symbol = %s",
            (json.dumps({"state": state, "reason": None}), symbol),
        )


def traded_with(exchange, order):
    """The orders that this one has traded with."""
    return [
        other
        for bid, ask in exchange.rows("SELECT buy_order_id, sell_order_id FROM trades ORDER BY id")
        for own, other in ((bid, ask), (ask, bid))
        if own == order
    ]


def findings(exchange):
    with transaction(exchange.engine) as session:
        report = verify(session, replay=True)
    return [str(finding) for check in report.checks for finding in check.findings]


def test_the_order_that_breaks_whoever_comes_is_taken_out_and_the_next_one_trades(exchange, drain):
    stock, broken = exchange.list("FAULT1"), exchange.broker()
    culprit, another = (exchange.place(stock, "ask", 1000, broker=broken) for _ in range(2))
    sound = exchange.place(stock, "ask", 1001, broker=exchange.broker())
    drain(stock)
    with full_account(exchange, broken):
        taker, later = exchange.place(stock, "bid", 1001, 150), exchange.place(stock, "bid", 999)
        drain(stock)
    assert exchange.statuses(culprit, another, sound, taker, later) == [
        "cancelled",
        "cancelled",
        "filled",
        "partially_filled",
        "open",
    ]
    assert traded_with(exchange, taker) == [sound]
    told = "SELECT kind, reason FROM account_events WHERE order_id = :id ORDER BY sequence DESC LIMIT 1"
    assert exchange.rows(told, id=culprit) == [("ORDER_CANCELLED", "internal_error")]
    refused = "SELECT c.id FROM commands c JOIN stocks s ON s.id = stock_id WHERE symbol = 'FAULT1' AND refused <> ''"
    assert exchange.rows(refused) == []
    assert findings(exchange) == []


def test_an_auction_opens_without_the_order_that_would_break_it(exchange, drain):
    stock, broken = exchange.list("FAULT2"), exchange.broker()
    ask_for_state(exchange, stock, "auction")
    culprit = exchange.place(stock, "ask", 1000, broker=broken)
    sound, buyer = exchange.place(stock, "ask", 1000, broker=exchange.broker()), exchange.place(stock, "bid", 1000)
    drain(stock)
    with full_account(exchange, broken):
        ask_for_state(exchange, stock, "open")
        drain(stock)
    assert exchange.rows("SELECT state FROM stocks WHERE symbol = 'FAULT2'") == [("open",)]
    assert exchange.statuses(culprit, sound, buyer) == ["cancelled", "filled", "filled"]
    assert findings(exchange) == []


def test_an_order_that_is_at_fault_itself_is_refused_and_what_it_met_stays(exchange, drain):
    stock, broken = exchange.list("FAULT3"), exchange.broker()
    resting = exchange.place(stock, "bid", 1000)
    drain(stock)
    with full_account(exchange, broken):
        taker = exchange.place(stock, "ask", 1000, broker=broken)
        drain(stock)
    assert exchange.statuses(resting, taker) == ["open", "rejected"]
    assert findings(exchange) == []


def test_where_both_sides_are_at_fault_the_one_that_came_is_refused_and_the_other_stays(exchange, drain):
    stock, seller, buyer = exchange.list("FAULT5"), exchange.broker(), exchange.broker()
    exchange.place(stock, "ask", 1000)
    exchange.place(stock, "bid", 1000, broker=buyer)  # opens the buyer's account of the stock
    resting = exchange.place(stock, "bid", 1000, broker=buyer)
    drain(stock)
    ((stock_id,),) = exchange.rows("SELECT id FROM stocks WHERE symbol = 'FAULT5'")
    with full_account(exchange, seller), full_account(exchange, buyer, stock_id):
        taker = exchange.place(stock, "ask", 1000, broker=seller)
        drain(stock)
    assert exchange.statuses(resting, taker) == ["open", "rejected"]
    assert findings(exchange) == []


def test_an_order_that_cannot_even_be_taken_out_stays_and_costs_the_one_that_came(exchange, drain):
    """Nothing can be released from an account that has less than its orders have reserved: an operator must look."""
    stock, broken = exchange.list("FAULT4"), exchange.broker()
    culprit = exchange.place(stock, "ask", 1000, broker=broken)
    drain(stock)
    held = "UPDATE balances SET reserved = %s WHERE broker_id = %s AND asset_id <> 1"
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(held, (0, broken))
    taker, other = exchange.place(stock, "bid", 1000), exchange.place(stock, "bid", 900)
    drain(stock)
    assert exchange.statuses(culprit, taker, other) == ["open", "rejected", "open"]
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(held, (100, broken))
    late = exchange.place(stock, "bid", 1000)
    drain(stock)
    assert exchange.statuses(culprit, late) == ["filled", "filled"]
    assert findings(exchange) == []
