"""Too many requests: each broker has buckets of its own, and cancelling has one apart."""

import contextlib
import socket
import time

import pytest

from api.http.problems import TooManyRequests
from api.runtime.rate_limits import CANCELS, ORDERS, READS, RateLimits
from queues.counters import Counters
from settings.sections import Limits, Redis
from tests.api.venue import Caller, Venue, an_order, settings_for


@pytest.fixture(scope="module")
def venue(database_url, redis_url):
    limits = {"orders_per_second": 2, "cancels_per_second": 50}
    venue = Venue(settings_for(database_url, redis_url, limits=limits))
    yield venue
    venue.close()


@pytest.fixture(scope="module")
def stock(venue):
    return venue.list()


def place(broker, stock):
    return broker.post("/orders", an_order("bid", stock, 1))


def test_beyond_the_limit_an_order_is_refused_and_nothing_is_reserved(venue, stock):
    broker = venue.broker()
    answers = [place(broker, stock) for _ in range(8)]
    accepted = [answer for answer in answers if answer.status_code == 201]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json["code"] == "too_many_requests"
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit-Limit"] == "2"
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert accepted[0].headers["RateLimit-Limit"] == "2"
    assert broker.get("/balance")["reserved"] == 3500 * len(accepted)


def test_who_may_not_order_may_still_cancel_and_read(venue, stock):
    broker = venue.broker()
    order = place(broker, stock).json["order_id"]
    while place(broker, stock).status_code != 429:
        continue
    with venue.matching():
        cancelled = broker.call("DELETE", f"/orders/{order}")
    assert cancelled.status_code == 204
    assert cancelled.headers["RateLimit-Limit"] == "50"
    assert "RateLimit-Limit" not in broker.call("GET", "/balance").headers


def test_one_broker_does_not_use_up_anothers_bucket(venue, stock):
    greedy, modest = venue.broker(), venue.broker()
    while place(greedy, stock).status_code != 429:
        continue
    assert place(modest, stock).status_code == 201


def test_processes_count_together(redis_url):
    limits, redis = Limits(orders_per_second=1000), Redis(url=redis_url)
    one, other = RateLimits(limits, Counters(redis)), RateLimits(limits, Counters(redis))
    left = [(one.charge(ORDERS, id, 10).remaining, other.charge(ORDERS, id, 10).remaining) for id in range(1, 6)]
    assert (990, 980) in left


def test_a_batch_of_more_orders_than_the_limit_can_never_pass_and_is_told_so(venue, stock):
    broker = venue.broker()
    answer = broker.post("/orders/batch", {"orders": [an_order("bid", stock, 1)] * 3})
    assert (answer.status_code, answer.json["code"], answer.json["limit"]) == (422, "batch_too_large", 2)
    assert "Retry-After" not in answer.headers
    assert broker.post("/orders/batch", {"orders": [an_order("bid", stock, 1)] * 2}).status_code == 200
    answer = broker.post("/orders/batch", {"orders": [an_order("bid", stock, 1)] * 2})
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (429, "too_many_requests", "1")


@pytest.mark.parametrize("url", [None, "redis://127.0.0.1:1/0"])
def test_the_limit_holds_in_any_second_also_around_a_boundary(redis_url, url):
    limits = RateLimits(Limits(orders_per_second=10), Counters(Redis(url=url or redis_url, timeout_ms=100)))
    taken = []
    for pause, attempts in ((0, 1), (0.8, 12), (0.25, 12)):
        time.sleep(pause)
        for _ in range(attempts):
            asked = time.time()
            with contextlib.suppress(TooManyRequests):
                limits.charge(ORDERS, 21)
                taken.append((asked, time.time()))
    assert len(taken) >= 10
    for (first, _), (_, eleventh) in zip(taken, taken[10:], strict=False):
        assert eleventh - first > 1


def test_without_redis_each_process_goes_on_counting(redis_url):
    limits = RateLimits(Limits(orders_per_second=1), Counters(Redis(url="redis://127.0.0.1:1/0", timeout_ms=100)))
    with pytest.raises(TooManyRequests):
        for _ in range(5):
            limits.charge(ORDERS, 1)


def test_a_hanging_redis_does_not_delay_every_request():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        redis = Redis(url=f"redis://127.0.0.1:{deaf.getsockname()[1]}/0", timeout_ms=300)
        limits = RateLimits(Limits(orders_per_second=1000), Counters(redis))
        limits.charge(ORDERS, 1)
        started = time.monotonic()
        for _ in range(3):
            limits.charge(ORDERS, 1)
        assert time.monotonic() - started < 0.3


def test_an_address_that_tries_keys_is_refused_until_the_minute_is_over(database_url, redis_url):
    venue = Venue(settings_for(database_url, redis_url, limits={"failures_per_minute": 3}))
    broker, guesser = venue.broker(), Caller(venue, "mx_guessed")
    from_afar = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    answers = [guesser.call("GET", "/balance", **from_afar) for _ in range(8)]
    assert answers[0].status_code == 401
    assert (answers[-1].status_code, answers[-1].json["code"]) == (429, "too_many_requests")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    disguised = {**from_afar, "headers": {"X-Forwarded-For": "198.51.100.1"}}
    assert guesser.call("GET", "/balance", **disguised).status_code == 429
    assert broker.call("GET", "/balance", **from_afar).status_code == 429
    assert broker.call("GET", "/balance").status_code == 200
    venue.close()


def test_without_a_limit_redis_is_not_asked(monkeypatch):
    monkeypatch.setattr("queues.counters.RedisStorage", lambda *_, **__: pytest.fail("it asked"))
    limits = RateLimits(Limits(), Counters(Redis()))
    limits.refuse_guesser("192.0.2.7")
    limits.note_failure("192.0.2.7")
    assert [limits.charge(bucket, 1) for bucket in (ORDERS, CANCELS, READS)] == [None, None, None]
