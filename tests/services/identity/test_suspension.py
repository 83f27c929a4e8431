"""Given orders on their way, when their broker is suspended, then they are cancelled or refused, and none rests."""

import threading

import pytest

from database.session import transaction
from services.errors import BrokerSuspended
from services.identity.suspension import activate, suspend
from services.order_entry.placing.answers import Placed


def test_while_orders_come_from_many_threads_none_is_left_afterwards(floor):
    symbol = floor.stock()
    broker = floor.broker(**{symbol: 1_000})
    requests = [floor.order(broker, symbol, side, 1, price) for side, price in (("bid", 3_400), ("ask", 3_600))]
    started, stopped = threading.Barrier(5), threading.Event()
    answers = []

    def send():
        started.wait()
        while not stopped.is_set():
            answers.extend(floor.place(*requests))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    floor.query("SELECT pg_sleep(0.2)")
    with transaction(floor.engine) as session:
        suspend(session, broker)
    floor.query("SELECT pg_sleep(0.1)")
    stopped.set()
    for thread in threads:
        thread.join()
    while floor.match(symbol).more:
        pass
    kinds = {type(answer) for answer in answers}
    assert kinds == {Placed, BrokerSuspended}
    assert floor.query("SELECT FROM orders WHERE broker_id = :b AND closed_at IS NULL", b=broker) == []
    assert (floor.cash(broker)[1], floor.shares(broker, symbol)[1]) == (0, 0)


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_a_suspended_broker_that_sells_short_or_gets_shares_is_still_suspended(floor, side):
    symbol, other = floor.stock(), floor.stock()
    broker, seller = floor.broker(short_limit=100), floor.broker(**{symbol: 10})
    floor.bid(broker, symbol, 10, 3_500)
    with transaction(floor.engine) as session:
        suspend(session, broker)
    floor.ask(seller, symbol, 10, 3_500)
    floor.match(symbol)
    (answer,) = floor.place(floor.order(broker, other, side, 1, 3_500))
    assert type(answer) is BrokerSuspended
    with transaction(floor.engine) as session:
        activate(session, broker)
    assert floor.accepted(floor.order(broker, other, side, 1, 3_500))


def test_what_was_to_be_cancelled_is_cancelled_though_no_worker_ran_and_the_broker_is_back(floor):
    """Suspended while nothing matches, let in again before anything does."""
    symbol = floor.stock()
    broker, other = floor.broker(**{symbol: 100}), floor.broker(**{symbol: 100})
    resting = [floor.ask(broker, symbol, 10, 3_500), floor.bid(broker, symbol, 10, 3_400)]
    floor.match(symbol)
    queued = floor.bid(broker, symbol, 10, 3_450)
    before = floor.query("SELECT max(sequence) FROM account_events WHERE broker_id = :b", b=broker)[0][0]
    with transaction(floor.engine) as session:
        suspend(session, broker)
    with transaction(floor.engine) as session:
        activate(session, broker)
    floor.bid(other, symbol, 10, 3_500)
    floor.ask(other, symbol, 10, 3_400)
    later = floor.bid(broker, symbol, 5, 3_390)
    while floor.match(symbol).more:
        pass
    assert [floor.row(order).status for order in (*resting, queued)] == ["cancelled"] * 3
    assert floor.row(later).status == "open"
    assert floor.query("SELECT FROM trades t WHERE :b IN (t.buyer_id, t.seller_id)", b=broker) == []
    told = "SELECT order_id FROM account_events WHERE broker_id = :b AND sequence > :n AND kind = 'ORDER_CANCELLED'"
    assert [row.order_id for row in floor.query(told, b=broker, n=before)] == [*resting, queued]
    assert (floor.cash(broker)[1], floor.shares(broker, symbol)[1]) == (5 * 3_390, 0)
