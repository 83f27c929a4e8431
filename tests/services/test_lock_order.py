"""Transactions that meet on the same accounts wait in one order, so none of them has to be killed."""

import contextlib
import threading

import pytest
from sqlalchemy import text

import services.place
from models import CASH
from models.session import transaction
from services.accounts import lock_accounts


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


def test_a_batch_that_places_in_several_waves_locks_all_its_accounts_first(floor, monkeypatch):
    """Orders that cannot be paid for, and the same client_order_id once more: cash then shares, shares then cash."""
    symbol = floor.stock()
    broker = floor.broker(0, **{symbol: 1})
    sides = {"x": ("bid", "ask"), "y": ("ask", "bid")}
    batches = {
        name: [floor.order(broker, symbol, side, 2, 3_500, client_order_id=name) for side in pair]
        for name, pair in sides.items()
    }
    met = threading.Barrier(2)
    place = services.place._place

    def slowly(session, wave):
        answers = place(session, wave)
        with contextlib.suppress(threading.BrokenBarrierError):
            met.wait(0.3)  # broken when the other batch waits for this one, as it should
        return answers

    monkeypatch.setattr("services.place._place", slowly)
    assert at_once(lambda: floor.place(*batches["x"]), lambda: floor.place(*batches["y"])) == []


def test_a_turn_opens_new_accounts_before_it_locks_any(floor, monkeypatch):
    """While a turn settles the buyer's first purchase, the buyer goes short, alone and in one batch with the seller."""
    symbol = floor.stock()
    buyer = floor.broker(short_limit=100)
    seller = floor.broker(**{symbol: 100})
    floor.ask(seller, symbol, 10, 3_500)
    floor.bid(buyer, symbol, 10, 3_500)
    alone = floor.order(buyer, symbol, "ask", 5, 3_600)
    together = [floor.order(buyer, symbol, "ask", 5, 3_600), floor.order(seller, symbol, "bid", 5, 3_400)]
    locked = threading.Event()

    def slowly(session, accounts):
        rows = lock_accounts(session, accounts)
        if not locked.is_set():
            locked.set()
            floor.until_somebody_waits()
        return rows

    def send():
        locked.wait(10)
        floor.place(alone)
        floor.place(*together)

    monkeypatch.setattr("services.settle.lock_accounts", slowly)
    assert at_once(lambda: floor.match(symbol), send) == []
    assert floor.shares(buyer, symbol) == (0, 10)


def test_a_batch_locks_its_accounts_in_their_order_whatever_order_the_orders_came_in(floor):
    """While somebody holds the fifth of nine accounts, a batch over all of them holds the first four and no other."""
    symbol = floor.stock()
    brokers = [floor.broker() for _ in range(9)]
    batch = [floor.order(brokers[n], symbol, "bid", 1, 3_500) for n in (6, 2, 8, 0, 4, 7, 3, 1, 5)]
    free = text("SELECT broker_id FROM balances WHERE broker_id = ANY(:ids) ORDER BY 1 FOR UPDATE SKIP LOCKED")
    with transaction(floor.engine) as session:
        lock_accounts(session, [(brokers[4], CASH)])
        thread = threading.Thread(target=floor.place, args=batch)
        thread.start()
        floor.until_somebody_waits()
        with transaction(floor.engine) as other:
            assert other.scalars(free, {"ids": brokers}).all() == brokers[5:]
    thread.join()


@pytest.mark.parametrize("missing", [0, 1])
def test_accounts_come_locked_in_order_and_closed_ones_are_left_out(floor, missing):
    symbol = floor.stock()
    broker = floor.broker(**{symbol: 1})
    with transaction(floor.engine) as session:
        wanted = [(broker, floor.symbols[symbol]), (broker, 1), (-1, 1)][: 3 - missing]
        rows = lock_accounts(session, wanted)
    assert [(row.broker_id, row.asset_id) for row in rows] == [(broker, 1), (broker, floor.symbols[symbol])]
