"""Many at once: nobody overspends, no trade is made twice, and the books are the same whoever matched them."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest

from database.session import PLANS, connect, in_transaction, transaction
from models import CASH
from services.accounts.deposits import deposit
from services.errors import MarketError
from services.matching.books import Books
from services.order_entry.placing.answers import Placed
from services.order_entry.placing.place import place_orders
from tests.services.floor import MONEY


def all_at_once(acts):
    """Start every act at the same moment, each in a thread of its own; their answers."""
    start = threading.Barrier(len(acts))

    def run(act):
        start.wait(10)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_twenty_spend_one_balance(floor):
    symbol, buyer = floor.stock(), floor.broker(1_000_000)
    orders = [floor.order(buyer, symbol, "bid", 1, 3_500 + n) for n in range(20)]
    spent = []

    def spend(order):
        while isinstance(floor.place(order)[0], Placed):
            spent.append(order.request.price)

    all_at_once([lambda order=order: spend(order) for order in orders])
    available, reserved = floor.cash(buyer)
    assert (available, reserved) == (1_000_000 - sum(spent), sum(spent))
    assert 0 <= available < 3_500
    floor.match(symbol)


@pytest.mark.parametrize("plans", [{}, PLANS], ids=["any-plan", "our-plan"])
@pytest.mark.parametrize("rich", [True, False], ids=["pays-for-all", "pays-for-some"])
def test_what_is_reserved_counts_from_the_balance_that_another_transaction_leaves(floor, plans, rich):
    """The order has found the balance as it was and waits for its lock; then it is another one."""
    symbol, (first, buyer, last) = floor.stock(), [floor.broker(1_000_000 if rich else 700_000 - 1) for _ in range(3)]
    brokers = [last, buyer, buyer, first] if rich else [last, buyer, buyer, buyer, first]
    orders = [floor.order(broker, symbol, "bid", 100, 3_500) for broker in brokers]
    intake = connect(floor.engine.url.render_as_string(hide_password=False), **plans)
    answers = []

    def place():
        answers.extend(place_orders(partial(in_transaction, intake), orders, {}, floor.market, datetime.now(UTC)))

    with transaction(floor.engine) as session:
        deposit(session, buyer, CASH, 1)
        thread = threading.Thread(target=place)
        thread.start()
        floor.until_somebody_waits()
    thread.join()
    intake.dispose()
    assert [isinstance(one, Placed) for one in answers] == ([True] * 4 if rich else [True, True, True, False, True])
    assert floor.cash(buyer) == ((300_001 if rich else 0), 700_000)
    assert floor.cash(first)[1] == floor.cash(last)[1] == 350_000


def test_twenty_sell_and_enlarge_against_one_holding(floor):
    symbol = floor.stock()
    seller = floor.broker(**{symbol: 100})
    resting = [floor.ask(seller, symbol, 1, 3_600) for _ in range(10)]
    new = [floor.order(seller, symbol, "ask", 7, 3_500) for _ in range(10)]

    def enlarge(order_id):
        try:
            floor.amend(seller, order_id, quantity=16)
        except MarketError:
            return 0
        return 15

    def place(order):
        return 7 if isinstance(floor.place(order)[0], Placed) else 0

    acts = [lambda one=one: enlarge(one) for one in resting] + [lambda one=one: place(one) for one in new]
    sold = 10 + sum(all_at_once(acts))
    assert floor.shares(seller, symbol) == (100 - sold, sold)
    assert 100 - sold < 15
    floor.match(symbol)


def worker(floor, symbols, over, books, raised):
    """A matching thread with books of its own, until `over` is set and nothing is left."""

    def run():
        try:
            while floor.match(*symbols, books=books, limit=random.choice((1, 5, 50))).commands or not over.is_set():
                pass
        except Exception as error:  # noqa: BLE001 - shown by the test
            raised.append(error)

    return threading.Thread(target=run)


def cross(floor, symbols, broker, generator):
    """Ten orders of one broker, some of them amended or cancelled at once."""
    for _ in range(10):
        symbol, side = generator.choice(symbols), generator.choice(("bid", "ask"))
        order = floor.order(broker, symbol, side, generator.randrange(1, 20), generator.randrange(3_490, 3_510))
        (answer,) = floor.place(order)
        if not isinstance(answer, Placed):
            continue
        try:
            if generator.random() < 0.3:
                floor.amend(broker, answer.order_id, price=generator.randrange(3_490, 3_510))
            if generator.random() < 0.2:
                floor.cancel(broker, answer.order_id)
        except MarketError:
            continue


def test_forty_cross_on_one_stock_while_it_is_matched(floor):
    symbol = floor.stock()
    brokers = [floor.broker(**{symbol: 100}) for _ in range(20)]
    over, raised = threading.Event(), []
    thread = worker(floor, [symbol], over, floor.books, raised)
    thread.start()
    all_at_once([lambda n=n: cross(floor, [symbol], brokers[n % 20], random.Random(n)) for n in range(40)])
    over.set()
    thread.join()
    assert raised == []
    assert floor.match(symbol).commands == 0
    assert len(floor.trades(symbol)) > 50
    cents = floor.query(
        "SELECT sum(available + reserved) AS n FROM balances WHERE asset_id = 1 AND broker_id = ANY(:ids)", ids=brokers
    )
    assert cents[0].n == 20 * MONEY


def test_two_workers_share_stocks_and_no_trade_is_made_twice(floor):
    symbols = [floor.stock() for _ in range(3)]
    brokers = [floor.broker(**dict.fromkeys(symbols, 200)) for _ in range(4)]
    over, raised, books = threading.Event(), [], (Books(), Books())
    threads = [worker(floor, symbols, over, one, raised) for one in books]
    for thread in threads:
        thread.start()
    all_at_once([lambda n=n: cross(floor, symbols, brokers[n % 4], random.Random(n)) for n in range(12)])
    over.set()
    for thread in threads:
        thread.join()
    assert raised == []
    rows = floor.query(
        "SELECT count(*) AS n, count(DISTINCT (stock_id, sequence)) AS numbers FROM trades WHERE stock_id = ANY(:ids)",
        ids=[floor.symbols[symbol] for symbol in symbols],
    )
    assert rows[0].n == rows[0].numbers > 10
    assert sum(one.rebuilds for one in books) > 6
