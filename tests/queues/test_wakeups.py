"""A job is only a wake-up: at most one waits for each stock, and none is missed."""

import fakeredis
import pytest
from redis import RedisError

from queues.jobs import queue_of
from queues.wakeups import SUSPENDED, Wakeups

PETR4, VALE3 = ("PETR4", "A"), ("VALE3", "A")


@pytest.fixture
def redis():
    return fakeredis.FakeRedis()


@pytest.fixture
def wakeups(redis):
    return Wakeups(redis)


def waiting(redis, symbol):
    return redis.llen(queue_of(redis, symbol).key)


def test_one_wakeup_waits_however_often_a_stock_is_rung(redis, wakeups):
    for _ in range(3):
        assert wakeups.wake([PETR4])
    assert waiting(redis, "PETR4") == 1
    assert wakeups.wait("A", 0) == ["PETR4"]


def test_a_stock_is_rung_again_once_its_wakeup_was_taken(redis, wakeups):
    wakeups.wake([PETR4])
    wakeups.take(wakeups.wait("A", 0))
    wakeups.wake([PETR4])
    assert waiting(redis, "PETR4") == 1
    assert wakeups.wait("A", 0) == ["PETR4"]


def test_the_worker_takes_every_stock_of_its_group_oldest_first(wakeups):
    wakeups.wake([VALE3])
    wakeups.wake([PETR4, ("AAPL", "B")])
    assert wakeups.wait("A", 0.1) == ["VALE3", "PETR4"]
    assert wakeups.wait("B", 0) == ["AAPL"]


def test_taking_a_wakeup_gives_the_ids_of_its_jobs(redis, wakeups):
    wakeups.wake([PETR4])
    taken = wakeups.take(["PETR4"])
    assert len(taken) == 1
    assert redis.exists(b"rq:job:" + taken[0])
    assert waiting(redis, "PETR4") == 0


def test_a_flag_whose_wakeup_was_lost_does_not_silence_the_sweep(redis, wakeups):
    redis.set("wake:PETR4", 1)
    wakeups.wake([PETR4])
    assert waiting(redis, "PETR4") == 0
    wakeups.wake([PETR4], again=True)
    assert waiting(redis, "PETR4") == 1


def test_a_job_that_an_operator_enqueued_is_found_without_the_bell(redis, wakeups):
    wakeups.wake([PETR4])
    redis.delete("minex:bell:A")
    assert wakeups.queued(["VALE3", "PETR4"]) == ["PETR4"]


def test_suspension_is_that_of_rq(redis, wakeups):
    assert not wakeups.suspended()
    redis.set(SUSPENDED, 1)
    assert wakeups.suspended()


def test_ringing_without_redis_is_reported_and_not_fatal():
    server = fakeredis.FakeServer()
    server.connected = False
    wakeups = Wakeups(fakeredis.FakeRedis(server=server))
    assert wakeups.wake([PETR4]) is False
    wakeups.clear("PETR4")
    with pytest.raises(RedisError):
        wakeups.wait("A", 0)
