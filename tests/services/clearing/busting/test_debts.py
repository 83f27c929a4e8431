"""Whoever has spent what a trade brought owes it: the counterparty is whole at once, and what comes in repays."""

import pytest

from database.session import transaction
from services.accounts.deposits import deposit
from services.clearing.requests import try_again
from tests.services.clearing.desk import Desk
from tests.services.floor import MONEY

ADVANCED = """
    SELECT coalesce(sum(-b.available * coalesce(s.reference_price, 1)), 0) AS cents
    FROM balances b JOIN brokers k ON k.id = b.broker_id AND k.id < 0 AND k.name = 'Guarantee'
    LEFT JOIN stocks s ON s.id = b.asset_id
"""
"""What the stories before have left."""


@pytest.fixture
def desk(floor):
    return Desk(floor)


@pytest.fixture
def chain(floor, desk):
    """A sells 100 to B, B to C, C to D, with fees: the first trade, the four brokers and the stock."""
    symbol = floor.stock()
    a, (b, c, d) = floor.broker(0, **{symbol: 100}), (floor.broker(1_000_000) for _ in range(3))
    for broker in (a, b, c, d):
        floor.charge(broker, 10, 10)
    first = desk.trade(a, b, symbol, 100, 3_500)
    desk.trade(b, c, symbol, 100, 3_600)
    desk.trade(c, d, symbol, 100, 3_700)
    return first, (a, b, c, d), symbol


def status(floor, broker):
    return floor.query("SELECT status FROM brokers WHERE id = :id", id=broker)[0].status


def test_shares_that_were_sold_on_are_lent(floor, desk, chain):
    """B gives back 100 shares that it has sold on: A has them at once, B owes them, C and D notice nothing."""
    first, (a, b, c, d), symbol = chain
    before = [(floor.cash(who), floor.shares(who, symbol), floor.position(who, symbol)) for who in (c, d)]
    assert desk.bust(first) == "done"
    assert floor.shares(a, symbol) == (100, 0)
    assert floor.cash(a) == (0, 0)
    assert floor.cash(b) == (1_000_000 + 360_000 - 360, 0)
    assert (floor.shares(b, symbol), desk.owed(b, symbol)) == ((0, 0), 100)
    assert floor.position(b, symbol) == (-360_000, 0)
    assert [(floor.cash(who), floor.shares(who, symbol), floor.position(who, symbol)) for who in (c, d)] == before
    assert (status(floor, a), status(floor, b)) == ("active", "close_only")
    (bust,) = floor.query("SELECT shortfalls FROM busts WHERE trade_id = :trade", trade=first)
    (shortfall,) = bust.shortfalls
    assert (shortfall["broker_id"], shortfall["missing"], shortfall["taken_available"]) == (b, 100, 0)


def test_what_is_bought_back_repays(floor, desk, chain):
    first, (_, b, _, d), symbol = chain
    desk.bust(first)
    desk.trade(d, b, symbol, 60, 3_650)
    assert (desk.owed(b, symbol), floor.shares(b, symbol)) == (40, (0, 0))
    assert floor.position(b, symbol) == (-144_000, 60 * (3_600 - 3_650))
    desk.trade(d, b, symbol, 40, 3_600)
    assert (desk.owed(b, symbol), floor.shares(b, symbol)) == (0, (0, 0))
    assert floor.position(b, symbol) == (0, -3_000)


def test_money_that_was_spent_is_advanced_and_orders_that_reserve_it_go_newest_first(floor, desk):
    symbol, other = floor.stock(), floor.stock()
    seller, buyer, holder = floor.broker(0, **{symbol: 100}), floor.broker(), floor.broker(**{other: 100})
    trade = desk.trade(seller, buyer, symbol, 100, 3_500)
    desk.trade(holder, seller, other, 50, 3_500)
    old, newer, newest = (floor.bid(seller, other, 10, price) for price in (3_300, 3_310, 3_320))
    floor.match(other)
    assert floor.cash(seller) == (75_700, 99_300)
    queued = desk.ask(trade)
    desk.turn()
    bust = desk.row(queued.bust_id)
    assert bust.status == "done"
    assert bust.shortfalls == [
        {
            "broker_id": seller,
            "asset_id": 1,
            "owed": 350_000,
            "taken_available": 75_700,
            "missing": 274_300,
            "advanced": 274_300,
            "orders_cancelled": [newest, newer, old],
        }
    ]
    assert floor.cash(buyer) == (MONEY, 0)
    assert (floor.cash(seller), desk.owed(seller)) == ((0, 99_300), 274_300)
    desk.turn()
    assert [floor.row(order).status for order in (old, newer, newest)] == ["cancelled"] * 3
    assert floor.row(old).close_reason == "shortfall"
    assert (floor.cash(seller), desk.owed(seller)) == ((0, 0), 175_000)
    with transaction(floor.engine) as session:
        deposit(session, seller, 1, 200_000)
    assert (floor.cash(seller), desk.owed(seller)) == ((25_000, 0), 0)


def test_no_more_orders_go_than_free_what_is_owed(floor, desk):
    symbol, other = floor.stock(), floor.stock()
    seller, buyer = floor.broker(0, **{symbol: 100}), floor.broker()
    trade = desk.trade(seller, buyer, symbol, 10, 3_500)
    bids = [floor.bid(seller, other, 1, 3_500 - n) for n in range(10)]
    floor.match(other)
    assert floor.cash(seller) == (45, 34_955)
    desk.bust(trade)
    desk.turn()
    assert {floor.row(order).status for order in bids} == {"cancelled"}
    assert desk.owed(seller) == 0


def test_a_credit_line_and_a_short_line_count(floor, desk):
    symbol = floor.stock()
    seller = floor.broker(0, credit_limit=400_000, **{symbol: 100})
    buyer = floor.broker(short_limit=200)
    trade = desk.trade(seller, buyer, symbol, 100, 3_500)
    desk.trade(buyer, floor.broker(), symbol, 100, 3_600)
    assert desk.bust(trade) == "done"
    assert (desk.owed(seller), desk.owed(buyer, symbol)) == (0, 0)
    assert floor.shares(buyer, symbol) == (-100, 0)
    assert status(floor, buyer) == "active"


def test_beyond_the_limit_a_bust_waits_until_there_is_room(floor):
    (before,) = floor.query(ADVANCED)
    desk = Desk(floor, guarantee_limit=300_000 + int(before.cents))
    symbol, other = floor.stock(), floor.stock()
    seller, buyer = floor.broker(0, **{symbol: 200}), floor.broker()
    trade = desk.trade(seller, buyer, symbol, 100, 3_500)
    desk.trade(floor.broker(**{other: 100}), seller, other, 100, 3_500)
    queued = desk.ask(trade)
    desk.turn()
    assert desk.status(queued.bust_id) == "waiting_for_guarantee"
    assert (floor.cash(buyer), desk.owed(seller)) == ((MONEY - 350_000, 0), 0)
    with transaction(floor.engine) as session:
        deposit(session, seller, 1, 50_000)
        try_again(session, queued.bust_id, floor.symbols[symbol])
    desk.turn()
    assert desk.status(queued.bust_id) == "done"
    assert (floor.cash(buyer), desk.owed(seller)) == ((MONEY, 0), 300_000)
