"""The clock only asks: expiry through the inbox, forgotten inboxes, one clock at a time."""

from dataclasses import replace

import pytest

from workers.clock import Clock
from workers.database import connect_worker


@pytest.fixture
def clock(exchange):
    """Makes a clock that finds everything forgotten at once and whose lease is short."""

    def make():
        settings = replace(exchange.settings, clock=replace(exchange.settings.clock, sweep_after_ms=0))
        return Clock(connect_worker(settings), exchange.wakeups, settings)

    return make


def test_a_due_order_is_asked_to_expire_once_and_expires_in_the_book(exchange, clock):
    stock = exchange.list("DUE1", "C1")
    due, kept = exchange.place(stock, "bid", 1000), exchange.place(stock, "bid", 1000)
    matcher = exchange.matcher()
    matcher.run_once([stock])
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE orders SET valid_until = clock_timestamp() - interval '1 s', time_in_force = 'gtd' WHERE id = %s",
            (due,),
        )
    one = clock()
    assert one.run_once()
    assert one.run_once()
    waiting = "SELECT kind FROM commands WHERE sequence IS NULL"
    assert exchange.rows(waiting) == [("expire",)]
    assert exchange.wakeups.take("C1") == [stock]
    exchange.matcher().run_once([stock])
    assert exchange.statuses(due, kept) == ["expired", "open"]
    one.release()


def test_a_forgotten_inbox_is_woken_even_if_its_flag_says_awake(exchange, clock):
    stock = exchange.list("FORGOT1", "C2")
    exchange.place(stock, "bid", 1000)
    exchange.redis.set(f"wake:{stock}", 1)
    one = clock()
    one.run_once()
    assert exchange.wakeups.take("C2") == [stock]
    exchange.matcher().run_once([stock])
    one.run_once()
    assert exchange.wakeups.take("C2") == []
    one.release()


def test_a_second_clock_stands_by_until_the_first_lets_go(clock):
    first, second = clock(), clock()
    assert first.run_once()
    assert not second.run_once()
    first.release()
    assert second.run_once()
    second.release()
