"""The group worker's turns over real Redis and PostgreSQL."""

import pytest

from queues.connection import connect as connect_redis
from queues.jobs import match_job, queue_of
from queues.wakeups import SUSPENDED
from workers.group import GroupWorker


@pytest.fixture
def worker(exchange):
    """Makes a worker of a group, ready for `run_once`."""

    def make(group):
        redis = connect_redis(exchange.settings.redis, patience_ms=3_000)
        worker = GroupWorker(group, [], exchange.matcher(), exchange.wakeups, redis)
        worker.register_birth()
        return worker

    return make


def test_a_woken_stock_is_matched_and_its_job_forgotten(exchange, worker):
    stock = exchange.list("RUNG1", "G1")
    order = exchange.place(stock, "bid", 1000)
    exchange.wakeups.wake([(stock, "G1")])
    one = worker("G1")
    one.run_once()
    assert exchange.statuses(order) == ["open"]
    assert exchange.redis.keys(b"rq:job:*") == []
    assert exchange.redis.llen(queue_of(exchange.redis, stock).key) == 0
    assert not exchange.redis.exists(f"wake:{stock}")
    assert int(exchange.redis.hget(one.key, "successful_job_count")) == 1


def test_a_stock_listed_later_is_served_and_shown_as_a_queue(exchange, worker):
    one = worker("G2")
    stock = exchange.list("LATER1", "G2")
    one.run_once()
    assert exchange.redis.hget(one.key, "queues") == b"match.LATER1"
    order = exchange.place(stock, "bid", 1000)
    exchange.wakeups.wake([(stock, "G2")])
    one.run_once()
    assert exchange.statuses(order) == ["open"]


def test_a_job_that_nobody_rang_for_is_found(exchange, worker):
    stock = exchange.list("UNRUNG1", "G3")
    order = exchange.place(stock, "bid", 1000)
    queue_of(exchange.redis, stock).enqueue_many([match_job(stock)])
    worker("G3").run_once()
    assert exchange.statuses(order) == ["open"]


def test_a_command_committed_after_the_look_wakes_again(exchange, worker):
    stock = exchange.list("AGAIN1", "G4")
    one = worker("G4")
    exchange.wakeups.wake([(stock, "G4")])
    assert one._ready() == [stock]
    order = exchange.place(stock, "bid", 1000)
    exchange.wakeups.wake([(stock, "G4")])
    one.run_once()
    assert exchange.statuses(order) == ["open"]


def test_without_redis_the_worker_looks_into_postgresql(exchange, worker, monkeypatch):
    stock = exchange.list("AWAY1", "G5")
    order = exchange.place(stock, "bid", 1000)
    one = worker("G5")
    monkeypatch.setattr(one, "_ready", lambda: one._without_redis(ConnectionError("gone")))
    one.run_once()
    assert exchange.statuses(order) == ["open"]


def test_a_suspended_worker_takes_nothing_until_it_is_resumed(exchange, worker, monkeypatch):
    stock = exchange.list("SUSP1", "G6")
    order = exchange.place(stock, "bid", 1000)
    exchange.wakeups.wake([(stock, "G6")])
    exchange.redis.set(SUSPENDED, 1)
    seen = []

    def resume(seconds):
        seen.extend(exchange.statuses(order))
        exchange.redis.delete(SUSPENDED)

    monkeypatch.setattr("workers.group.time.sleep", resume)
    worker("G6").run_once()
    assert seen == ["pending"]
    assert exchange.statuses(order) == ["open"]
