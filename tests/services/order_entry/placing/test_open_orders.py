"""A broker may have so many open orders, in all and in one stock, and not one more, whoever places them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from database.session import PLANS, connect, in_transaction, transaction
from models.order import OPEN_STATUSES
from services.errors import BrokerSuspended, InsufficientFunds, TooManyOpenOrders
from services.identity.suspension import activate, suspend
from services.order_entry.placing.answers import Placed
from services.order_entry.placing.place import place_orders
from settings.sections import Limits


@pytest.fixture(autouse=True)
def few(floor):
    """Four open orders in one stock, six in all."""
    floor.limits = Limits(open_orders=6, open_orders_per_stock=4)


def counted(floor, broker, symbol=None):
    """What the balance of cash, or of a stock, counts."""
    asset = floor.symbols[symbol] if symbol else 1
    rows = floor.query(
        "SELECT open_orders FROM balances WHERE broker_id = :broker AND asset_id = :asset", broker=broker, asset=asset
    )
    return rows[0].open_orders if rows else None


def open_orders(floor, broker, symbol=None):
    """How many open orders there are."""
    statement = "SELECT stock_id FROM orders WHERE broker_id = :broker AND status = ANY(:open)"
    rows = floor.query(statement, broker=broker, open=list(OPEN_STATUSES))
    return sum(symbol is None or row.stock_id == floor.symbols[symbol] for row in rows)


def test_orders_are_taken_in_order_of_arrival_until_there_is_no_room_in_their_stock(floor):
    symbol, other = floor.stock(), floor.stock()
    broker = floor.broker(**{symbol: 100})
    sides = ("bid", "ask", "bid", "ask", "bid", "ask")
    batch = [floor.order(broker, symbol, side, 1, 3_400 if side == "bid" else 3_600) for side in sides]
    answers = floor.place(*batch, floor.order(broker, other, "bid", 1, 3_400))
    assert [type(answer) for answer in answers] == [Placed] * 4 + [TooManyOpenOrders] * 2 + [Placed]
    assert answers[4].facts == {"limit": "open_orders_per_stock", "most": 4}
    assert answers[4].detail == "A broker may have 4 open orders in one stock."
    assert floor.cash(broker)[1] == 3 * 3_400
    assert floor.shares(broker, symbol) == (98, 2)
    assert [counted(floor, broker, of) for of in (None, symbol, other)] == [5, 4, 1]


def test_all_stocks_together_have_a_limit_of_their_own(floor):
    symbols = [floor.stock() for _ in range(4)]
    broker, other = floor.broker(), floor.broker()
    orders = [floor.order(broker, symbol, "bid", 1, 3_400) for symbol in symbols for _ in range(2)]
    answers = floor.place(*orders, floor.order(other, symbols[0], "bid", 1, 3_400))
    assert [isinstance(answer, Placed) for answer in answers] == [True] * 6 + [False] * 2 + [True]
    assert answers[6].facts == {"limit": "open_orders", "most": 6}
    assert [counted(floor, broker, symbol) for symbol in symbols] == [2, 2, 2, 0]


def test_whatever_ends_an_order_makes_room(floor):
    symbol = floor.stock()
    maker, taker = floor.broker(**{symbol: 100}), floor.broker()

    def full():
        answers = floor.place(*[floor.order(maker, symbol, "ask", 1, 3_500 + n) for n in range(5)])
        placed = [answer.order_id for answer in answers if isinstance(answer, Placed)]
        assert open_orders(floor, maker) == 4
        assert isinstance(answers[-1], TooManyOpenOrders)
        floor.match(symbol)
        return placed

    first = full()
    floor.cancel(maker, first[-1])
    floor.bid(taker, symbol, 2, 3_501)
    floor.match(symbol)
    assert counted(floor, maker, symbol) == counted(floor, maker) == 1
    assert len(full()) == 3
    floor.cancel(maker, first[2])
    floor.match(symbol)
    assert counted(floor, taker, symbol) == counted(floor, taker) == 0
    floor.ask(maker, symbol, 1, 3_600, time_in_force="day")
    floor.change(symbol, "roll")
    floor.match(symbol)
    assert counted(floor, maker, symbol) == counted(floor, maker) == open_orders(floor, maker) == 3


def test_stops_and_orders_of_an_auction_count_and_what_the_book_rejects_or_sends_home_does_not(floor):
    symbol = floor.stock()
    maker, taker = floor.broker(**{symbol: 100}), floor.broker()
    floor.bid(taker, symbol, 1, stop_price=3_600)
    floor.bid(taker, symbol, 1, 3_400)
    floor.match(symbol)
    floor.put_into(symbol, "auction")
    floor.bid(taker, symbol, 1)
    floor.bid(taker, symbol, 1, 3_450)
    (answer,) = floor.place(floor.order(taker, symbol, "bid", 1, 3_400))
    assert isinstance(answer, TooManyOpenOrders)
    floor.put_into(symbol, "open")
    assert counted(floor, taker, symbol) == open_orders(floor, taker, symbol) == 3
    floor.ask(maker, symbol, 1, 3_500)
    floor.match(symbol)
    crossing = floor.bid(taker, symbol, 1, 3_500, post_only=True)
    floor.match(symbol)
    assert floor.stands(crossing)[0] == "rejected"
    assert counted(floor, taker, symbol) == 3
    assert floor.findings() == []


def test_at_the_limit_orders_may_be_amended_and_named_again(floor):
    symbol, broker = floor.stock(), floor.broker()
    named = floor.order(broker, symbol, "bid", 1, 3_400, client_order_id="first")
    first = floor.accepted(named)
    floor.place(*[floor.order(broker, symbol, "bid", 1, 3_400) for _ in range(3)])
    floor.match(symbol)
    floor.amend(broker, first, quantity=5, price=3_410)
    (again,) = floor.place(named)
    assert (again.order_id, again.known) == (first, True)
    assert counted(floor, broker, symbol) == counted(floor, broker) == 4


def test_what_cannot_be_paid_for_takes_no_room(floor):
    symbol, broker = floor.stock(), floor.broker(cash=4 * 3_400)
    dear = [floor.order(broker, symbol, "bid", 5, 3_400) for _ in range(5)]
    cheap = [floor.order(broker, symbol, "bid", 1, 3_400) for _ in range(4)]
    answers = floor.place(*dear, *cheap)
    assert [type(answer) for answer in answers] == [InsufficientFunds] * 5 + [Placed] * 4


def test_what_there_is_no_room_for_is_paid_for_by_nobody(floor):
    symbol, broker = floor.stock(), floor.broker()
    floor.place(*[floor.order(broker, symbol, "bid", 1, 3_400) for _ in range(9)])
    assert floor.cash(broker)[1] == 4 * 3_400
    assert floor.findings() == []


def test_zero_is_no_limit(floor):
    floor.limits = Limits(open_orders=0, open_orders_per_stock=0)
    symbol, broker = floor.stock(), floor.broker()
    answers = floor.place(*[floor.order(broker, symbol, "bid", 1, 3_400) for _ in range(20)])
    assert all(isinstance(answer, Placed) for answer in answers)


@pytest.mark.parametrize("plans", [{}, PLANS], ids=["any-plan", "our-plan"])
def test_no_order_too_many_when_several_processes_place_at_once(floor, plans):
    """Two with connections of their own, as web processes have them; also the very first orders of a broker."""
    symbols = [floor.stock() for _ in range(2)]
    engines = [connect(floor.engine.url.render_as_string(hide_password=False), **plans) for _ in range(2)]
    start = threading.Barrier(2)

    def place(engine, broker):
        def commit(work):
            try:
                return in_transaction(engine, work)
            except IntegrityError:
                return in_transaction(engine, work)

        start.wait(10)
        placed = 0
        for size in (1, 2, 3, 1, 2):
            batch = [floor.order(broker, symbol, "bid", 1, 3_400) for symbol in symbols for _ in range(size)]
            answers = place_orders(commit, batch, {}, floor.market, datetime.now(UTC), floor.limits)
            placed += sum(isinstance(answer, Placed) for answer in answers)
        return placed

    for _ in range(10):
        broker = floor.broker()
        with ThreadPoolExecutor(2) as pool:
            placed = sum(pool.map(lambda engine: place(engine, broker), engines))  # noqa: B023 - done within its turn
        assert placed == open_orders(floor, broker) == counted(floor, broker) == 6
        assert all(counted(floor, broker, symbol) <= 4 for symbol in symbols)
    for engine in engines:
        engine.dispose()
    floor.match()
    assert floor.findings() == []


def test_a_share_account_that_a_suspension_missed_opens_no_way_to_trade(floor):
    """It was opened while the suspension looked for the accounts to block."""
    symbol = floor.stock()
    broker = floor.broker(**{symbol: 100})
    with transaction(floor.engine) as session:
        suspend(session, broker)
    floor.run("UPDATE balances SET blocked = false WHERE broker_id = :id AND asset_id > 1", id=broker)
    (answer,) = floor.place(floor.order(broker, symbol, "ask", 1, 3_500))
    assert isinstance(answer, BrokerSuspended)
    with transaction(floor.engine) as session:
        activate(session, broker)
    assert isinstance(floor.place(floor.order(broker, symbol, "ask", 1, 3_500))[0], Placed)
