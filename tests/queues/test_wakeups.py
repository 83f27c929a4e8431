"""A job is only a wake-up: at most one waits for each stock, and none is missed."""

import threading

import fakeredis
import pytest
from redis import Redis as Client
from redis import RedisError

from queues.jobs import match_job, queue_of
from queues.wakeups import SUSPENDED, Wakeups

PETR4, VALE3 = ("PETR4", "A"), ("VALE3", "A")


@pytest.fixture
def redis(redis_url):
    with Client.from_url(redis_url) as redis:
        redis.flushall()
        yield redis


@pytest.fixture
def wakeups(redis):
    return Wakeups(redis)


def waiting(redis, symbol):
    return redis.llen(queue_of(redis, symbol).key)


def test_one_wakeup_waits_however_often_a_stock_is_woken(redis, wakeups):
    for _ in range(3):
        assert wakeups.wake([PETR4])
    assert waiting(redis, "PETR4") == 1
    assert len(redis.keys("rq:job:*")) == 1
    assert wakeups.take("A") == ["PETR4"]


def test_a_stock_is_woken_again_once_its_wakeup_was_taken(redis, wakeups):
    wakeups.wake([PETR4])
    wakeups.take("A")
    wakeups.wake([PETR4])
    assert waiting(redis, "PETR4") == 1
    assert wakeups.take("A") == ["PETR4"]


def test_the_worker_takes_every_stock_of_its_group_oldest_first(wakeups):
    wakeups.wake([VALE3])
    wakeups.wake([PETR4, ("AAPL", "B")])
    assert wakeups.wait("A", 0.1) == ["VALE3", "PETR4"]
    assert wakeups.take("B") == ["AAPL"]
    assert wakeups.wait("A", 0.01) == []


def test_a_worker_that_waits_is_woken(redis_url, wakeups):
    taken = []
    with Client.from_url(redis_url, socket_timeout=20) as other:
        thread = threading.Thread(target=lambda: taken.extend(Wakeups(other).wait("A", 10)))
        thread.start()
        while not wakeups.redis.info("clients")["blocked_clients"]:
            continue
        wakeups.wake([PETR4])
        thread.join()
    assert taken == ["PETR4"]
    assert waiting(wakeups.redis, "PETR4") == 0


def test_taking_a_wakeup_removes_all_of_it_and_credits_the_worker(redis, wakeups):
    wakeups.wake([PETR4, VALE3])
    assert wakeups.take("A", worker="rq:worker:one") == ["PETR4", "VALE3"]
    assert set(redis.keys()) == {b"rq:queues", b"rq:worker:one"}
    assert redis.hget("rq:worker:one", "successful_job_count") == b"2"


def test_a_stock_may_be_taken_that_nobody_rang_for(redis, wakeups):
    queue_of(redis, "PETR4").enqueue_many([match_job("PETR4"), match_job("PETR4")])
    wakeups.wake([VALE3])
    assert wakeups.queued(["PETR4", "GOOG", "VALE3"]) == ["PETR4", "VALE3"]
    assert wakeups.take("A", also=["PETR4"]) == ["PETR4", "VALE3"]
    assert waiting(redis, "PETR4") == 0
    assert wakeups.take("A", also=["VALE3"]) == ["VALE3"]


def test_a_flag_whose_wakeup_was_lost_does_not_silence_the_sweep(redis, wakeups):
    redis.set("wake:PETR4", 1)
    wakeups.wake([PETR4])
    assert waiting(redis, "PETR4") == 0
    wakeups.wake([PETR4], again=True)
    assert waiting(redis, "PETR4") == 1
    assert 50 < redis.ttl("wake:PETR4") <= 60


def test_a_stock_that_nobody_takes_gets_one_job_however_often_it_is_swept(redis, wakeups):
    for _ in range(5):
        wakeups.wake([PETR4], again=True)
    assert waiting(redis, "PETR4") == 1
    assert len(redis.keys("rq:job:*")) == 1
    assert wakeups.take("A") == ["PETR4"]


def test_redis_may_forget_the_scripts(redis, wakeups):
    redis.script_flush()
    assert wakeups.wake([PETR4])
    redis.script_flush()
    assert wakeups.queued(["PETR4"]) == ["PETR4"]
    redis.script_flush()
    assert wakeups.take("A") == ["PETR4"]


def test_thousands_of_stocks_are_woken_and_taken_at_once(wakeups):
    stocks = [(f"S{n:04d}", "A") for n in range(5_000)]
    wakeups.wake(stocks)
    assert wakeups.take("A") == [symbol for symbol, _ in stocks]


def test_suspension_is_that_of_rq(redis, wakeups):
    assert not wakeups.suspended()
    redis.set(SUSPENDED, 1)
    assert wakeups.suspended()


def test_waking_without_redis_is_reported_and_not_fatal():
    server = fakeredis.FakeServer()
    server.connected = False
    wakeups = Wakeups(fakeredis.FakeRedis(server=server))
    assert wakeups.wake([PETR4]) is False
    wakeups.clear("PETR4")
    with pytest.raises(RedisError):
        wakeups.take("A")
