"""The group worker's turns over real Redis and PostgreSQL."""

import os
import signal
import time
from dataclasses import replace

import pytest
from redis import ConnectionError as NotConnected
from redis import Redis

from embedded.valkey import ValkeyServer
from queues.breaker import breaker_of
from queues.bus import Bus
from queues.connection import connect as connect_redis
from queues.heartbeats import Heartbeats
from queues.jobs import match_job, queue_of
from queues.wakeups import SUSPENDED, Wakeups
from workers import group as group_module
from workers.group import GroupWorker
from workers.presence import Presence


@pytest.fixture
def worker(exchange):
    """Makes a worker of a group, ready for `run_once`."""

    def make(group):
        redis = connect_redis(exchange.settings.redis, patience_ms=3_000)
        return GroupWorker(group, exchange.matcher(), exchange.wakeups, Presence(group, redis))

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
    assert int(exchange.redis.hget(one.presence.key, "successful_job_count")) == 1


def test_a_worker_may_do_all_that_it_does_until_it_leaves(exchange, valkey_server):
    stock = exchange.list("OWN1", "G1-own")
    exchange.redis.acl_log_reset()
    redis = connect_redis(replace(exchange.settings.redis, url=valkey_server.url_of("match")), patience_ms=3_000)
    matcher = exchange.matcher()
    matcher.bus = Bus(redis)
    one = GroupWorker("G1-own", matcher, Wakeups(redis), Presence("G1-own", redis))
    order = exchange.place(stock, "bid", 1000)
    exchange.redis.set(SUSPENDED, 1)
    one.run_once()
    exchange.redis.delete(SUSPENDED)
    exchange.wakeups.wake([(stock, "G1-own")])
    until(lambda: one.run_once() or exchange.statuses(order) == ["open"])
    one.presence.leave()
    assert exchange.redis.hexists(one.presence.key, "death")
    assert exchange.redis.exists(f"minex:book:{stock}")
    assert exchange.redis.acl_log() == []


def test_a_stock_listed_later_is_served_and_shown_as_a_queue(exchange, worker):
    one = worker("G2")
    stock = exchange.list("LATER1", "G2")
    one.run_once()
    assert exchange.redis.hget(one.presence.key, "queues") == b"match.LATER1"
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
    monkeypatch.setattr(group_module, "WAIT_SECONDS", 0.01)
    stock = exchange.list("SUSP1", "G6")
    order = exchange.place(stock, "bid", 1000)
    exchange.wakeups.wake([(stock, "G6")])
    one = worker("G6")
    exchange.redis.set(SUSPENDED, 1)
    for _ in range(3):
        one.run_once()
    assert exchange.statuses(order) == ["pending"]
    assert exchange.redis.hget(one.presence.key, "state") == b"suspended"
    exchange.redis.delete(SUSPENDED)
    one.run_once()
    assert exchange.statuses(order) == ["open"]


def test_a_suspended_worker_stays_so_while_redis_is_away(exchange, worker, monkeypatch):
    """It was an operator's will, and nobody has said otherwise."""
    monkeypatch.setattr(group_module, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(group_module, "AWAY_SECONDS", 0.01)
    stock = exchange.list("SUSP2", "G7")
    one = worker("G7")
    exchange.redis.set(SUSPENDED, 1)
    one.run_once()
    order = exchange.place(stock, "bid", 1000)
    with monkeypatch.context() as away:
        away.setattr(one.wakeups, "suspended", gone)
        one.run_once()
    assert exchange.statuses(order) == ["pending"]
    exchange.redis.delete(SUSPENDED)
    exchange.wakeups.wake([(stock, "G7")])
    one.run_once()
    assert exchange.statuses(order) == ["open"]


def gone(*_, **__):
    raise NotConnected("gone")


def test_a_stock_that_cannot_go_on_keeps_nobody_else_waiting(exchange, worker, monkeypatch):
    bad, good = exchange.list("STUCKG1", "G8"), exchange.list("GOODG1", "G8")
    resting = exchange.place(bad, "bid", 1000)
    one = worker("G8")
    exchange.wakeups.wake([(bad, "G8")])
    one.run_once()
    one.matcher.books.forget_all()
    break_book(exchange, resting, "ioc")
    waiting, elsewhere = exchange.place(bad, "bid", 1000), exchange.place(good, "bid", 1000)
    exchange.wakeups.wake([(bad, "G8"), (good, "G8")])
    for _ in range(2):
        one.run_once()
    assert exchange.statuses(waiting, elsewhere) == ["pending", "open"]
    assert list(one.set_aside) == [bad]
    break_book(exchange, resting, "gtc")
    one.set_aside[bad] = 0.0
    one.run_once()
    assert exchange.statuses(waiting) == ["open"]
    assert one.set_aside == {}


def break_book(exchange, order, time_in_force):
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET time_in_force = %s WHERE id = %s", (time_in_force, order))


def test_a_worker_that_starts_without_redis_matches_at_once_and_joins_it_later(exchange, make_server_folder):
    stock = exchange.list("ALONE1", "G9")
    order = exchange.place(stock, "bid", 1000)
    with ValkeyServer(make_server_folder()) as own:
        settings = replace(exchange.settings.redis, url=own.url)
        own.kill()
        redis = connect_redis(settings)
        one = GroupWorker("G9", exchange.matcher(), Wakeups(redis), Presence("G9", redis))
        one.run_once()
        assert exchange.statuses(order) == ["open"]
        own.start()
        until(lambda: one.run_once() or "G9" in Heartbeats(Redis.from_url(own.url)).alive(["G9"]))
        later = exchange.place(stock, "bid", 1000)
        assert Wakeups(redis).wake([(stock, "G9")])
        until(lambda: one.run_once() or exchange.statuses(later) == ["open"])
        assert redis.hget(one.presence.key, "queues") == b"match.ALONE1"
        one.presence.leave()
        assert Heartbeats(redis).alive(["G9"]) == set()


def test_a_redis_that_hangs_costs_one_timeout_and_matching_goes_on(exchange, make_server_folder):
    stock = exchange.list("HUNGR1", "G10")
    with ValkeyServer(make_server_folder()) as own:
        settings = replace(exchange.settings.redis, url=own.url, timeout_ms=200)
        redis = connect_redis(settings, patience_ms=700)
        one = GroupWorker("G10", exchange.matcher(), Wakeups(redis), Presence("G10", redis))
        one.run_once()
        breaker = breaker_of(own.url, 0.2)
        os.kill(own.pid, signal.SIGSTOP)
        try:
            order = exchange.place(stock, "bid", 1000)
            until(lambda: one.run_once() or exchange.statuses(order) == ["open"])
            assert breaker.is_open
            assert Wakeups(redis).wake([(stock, "G10")]) is False
            restarted = connect_redis(settings, patience_ms=700)
            other = GroupWorker("G10", exchange.matcher(), Wakeups(restarted), Presence("G10", restarted))
            order = exchange.place(stock, "bid", 1000)
            other.run_once()
            assert exchange.statuses(order) == ["open"]
        finally:
            os.kill(own.pid, signal.SIGCONT)
        until(lambda: not breaker.is_open)
        order = exchange.place(stock, "bid", 1000)
        assert Wakeups(redis).wake([(stock, "G10")])
        one.run_once()
        assert exchange.statuses(order) == ["open"]


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)
