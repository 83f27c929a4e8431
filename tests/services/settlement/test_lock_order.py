"""Transactions that meet on the same accounts wait in one order, so none of them has to be killed."""

import threading

from sqlalchemy import text

from database.session import transaction
from services.matching.books import Books
from services.matching.match import Hooks, match_turn
from tests.services.floor import MONEY


def at_once(*acts):
    """Run each act in a thread of its own; what they raised."""
    raised = []

    def run(act):
        try:
            act()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            raised.append(error)

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


HOLD = text("SELECT FROM balances WHERE broker_id = :broker AND asset_id = 1 FOR NO KEY UPDATE")


def test_a_turn_opens_new_accounts_before_it_locks_any(floor):
    """While a turn settles the buyer's first purchase, the buyer goes short, alone and in one batch with the seller.

    Somebody holds the buyer's cash until the first of them waits for the account that the turn has just opened.
    """
    symbol = floor.stock()
    buyer = floor.broker(short_limit=100)
    seller = floor.broker(**{symbol: 100})
    floor.ask(seller, symbol, 10, 3_500)
    floor.bid(buyer, symbol, 10, 3_500)
    alone = floor.order(buyer, symbol, "ask", 5, 3_600)
    together = [floor.order(buyer, symbol, "ask", 5, 3_600), floor.order(seller, symbol, "bid", 5, 3_400)]
    held = threading.Event()

    def hold():
        with transaction(floor.engine) as session:
            session.execute(HOLD, {"broker": buyer})
            held.set()
            floor.until_somebody_waits(waiters=2)

    def match():
        held.wait(10)
        floor.match(symbol)

    def send():
        held.wait(10)
        floor.until_somebody_waits()
        floor.place(alone)
        floor.place(*together)

    assert at_once(hold, match, send) == []
    assert floor.shares(buyer, symbol) == (0, 10)


def test_a_turn_locks_no_balance_before_its_last_way_to_postgresql(floor):
    """Until all that is left is one round trip, whoever buys or sells need not wait, and pays with what is free."""
    symbol = floor.stock()
    buyer, seller = floor.broker(), floor.broker(**{symbol: 100})
    floor.ask(seller, symbol, 10, 3_500)
    floor.bid(buyer, symbol, 10, 3_600)
    free = text("SELECT broker_id FROM balances WHERE broker_id = ANY(:ids) ORDER BY 1 FOR UPDATE SKIP LOCKED")
    seen = []

    def look():
        with transaction(floor.engine) as other:
            seen.extend(other.scalars(free, {"ids": [buyer, seller]}).all())
        floor.ask(seller, symbol, 20, 3_700)
        floor.bid(buyer, symbol, 20, 3_300)

    with transaction(floor.engine) as session:
        match_turn(session, [symbol], Books(), 10, hooks=Hooks(before_commit=look))
    assert seen == [buyer, buyer, seller, seller]
    assert floor.cash(buyer) == (MONEY - 35_000 - 66_000, 66_000)
    assert floor.shares(seller, symbol) == (70, 20)


def test_a_batch_locks_its_accounts_in_their_order_whatever_order_the_orders_came_in(floor):
    """While somebody holds the fifth of nine accounts, a batch over all of them holds the first four and no other."""
    symbol = floor.stock()
    brokers = [floor.broker() for _ in range(9)]
    batch = [floor.order(brokers[n], symbol, "bid", 1, 3_500) for n in (6, 2, 8, 0, 4, 7, 3, 1, 5)]
    free = text("SELECT broker_id FROM balances WHERE broker_id = ANY(:ids) ORDER BY 1 FOR UPDATE SKIP LOCKED")
    with transaction(floor.engine) as session:
        session.execute(HOLD, {"broker": brokers[4]})
        thread = threading.Thread(target=floor.place, args=batch)
        thread.start()
        floor.until_somebody_waits()
        with transaction(floor.engine) as other:
            assert other.scalars(free, {"ids": brokers}).all() == brokers[5:]
    thread.join()


def test_a_turn_locks_its_orders_by_id_whatever_order_it_touched_them_in(floor):
    """While somebody holds the fifth of nine orders, the turn that fills them all holds the first four and no other."""
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    resting = [floor.ask(seller, symbol, 1, 3_500 + price) for price in (6, 2, 8, 0, 4, 7, 3, 1, 5)]
    floor.match(symbol)
    floor.bid(buyer, symbol, 9, 3_600)
    free = text("SELECT id FROM orders WHERE id = ANY(:ids) ORDER BY 1 FOR UPDATE SKIP LOCKED")
    with transaction(floor.engine) as session:
        session.execute(text("SELECT FROM orders WHERE id = :id FOR NO KEY UPDATE"), {"id": resting[4]})
        thread = threading.Thread(target=floor.match, args=[symbol])
        thread.start()
        floor.until_somebody_waits()
        with transaction(floor.engine) as other:
            assert other.scalars(free, {"ids": resting}).all() == resting[5:]
    thread.join()
    assert len(floor.trades(symbol)) == 9


def test_a_turn_locks_its_balances_in_their_order(floor):
    """While somebody holds the third of five sellers' cash, the turn that pays them holds two and no other."""
    symbol = floor.stock()
    buyer = floor.broker()
    sellers = [floor.broker(**{symbol: 1}) for _ in range(5)]
    for n in (4, 1, 3, 0, 2):
        floor.ask(sellers[n], symbol, 1, 3_500)
    floor.bid(buyer, symbol, 5, 3_500)
    free = text("""
        SELECT broker_id FROM balances WHERE broker_id = ANY(:ids) AND asset_id = 1 ORDER BY 1 FOR UPDATE SKIP LOCKED
    """)
    with transaction(floor.engine) as session:
        session.execute(HOLD, {"broker": sellers[2]})
        thread = threading.Thread(target=floor.match, args=[symbol])
        thread.start()
        floor.until_somebody_waits()
        with transaction(floor.engine) as other:
            assert other.scalars(free, {"ids": sellers}).all() == sellers[3:]
    thread.join()
    assert len(floor.trades(symbol)) == 5
