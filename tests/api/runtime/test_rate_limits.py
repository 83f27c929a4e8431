"""Too many requests: each broker has buckets of its own, and cancelling has one apart."""

import contextlib
import socket
import time

import pytest

from api.http.problems import BatchTooLarge, TooManyRequests
from api.runtime.rate_limits import CANCELS, ORDERS, READS, RateLimits
from queues.limits.counters import Counters
from settings.sections import Limits, Redis
from tests.api.venue import PASSWORD, Caller, Venue, an_order, settings_for


@pytest.fixture(scope="module")
def venue(database_url, redis_url):
    limits = {"orders_per_second": 2, "cancels_per_second": 50}
    venue = Venue(settings_for(database_url, redis_url, limits=limits))
    yield venue
    venue.close()


@pytest.fixture(scope="module")
def stock(venue):
    return venue.list()


def limits_on(redis, limits):
    return RateLimits(limits, redis, Counters(redis))


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
    one, other = limits_on(redis, limits), limits_on(redis, limits)
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
def test_a_bucket_holds_a_seconds_worth_and_is_filled_evenly(redis_url, url):
    limits = limits_on(Redis(url=url or redis_url, timeout_ms=100), Limits(orders_per_second=10))
    taken, began = 0, time.monotonic()
    while time.monotonic() < began + 1.5:
        with contextlib.suppress(TooManyRequests):
            limits.charge(ORDERS, 21)
            taken += 1
        time.sleep(0.01)
    lasted = time.monotonic() - began
    assert 10 + int((lasted - 0.1) * 10) - 1 <= taken <= 10 + int(lasted * 10) + 1


def test_a_part_of_a_second_brings_a_part_of_the_bucket(redis_url):
    limits = limits_on(Redis(url=redis_url), Limits(orders_per_second=10))
    limits.charge(ORDERS, 22, 10)
    with pytest.raises(TooManyRequests) as refused:
        limits.charge(ORDERS, 22, 5)
    assert refused.value.headers["Retry-After"] == "1"
    time.sleep(0.55)
    assert limits.charge(ORDERS, 22, 5).remaining == 0


def test_who_has_signed_up_has_lower_limits(redis_url):
    limits = limits_on(Redis(url=redis_url), Limits(signup_orders_per_second=3, reads_per_second=5))
    assert limits.charge(ORDERS, 23) is None
    assert limits.charge(ORDERS, 23, 3, is_guest=True).remaining == 0
    with pytest.raises(TooManyRequests):
        limits.charge(ORDERS, 23, is_guest=True)
    with pytest.raises(BatchTooLarge):
        limits.charge(ORDERS, 24, 4, is_guest=True)
    assert limits.charge(READS, 23, is_guest=True).limit == 5, "the lower of both"


def test_so_it_is_by_default_for_who_signs_up_and_its_keys_and_for_nobody_else(database_url, redis_url):
    venue = Venue(settings_for(database_url, redis_url))
    venue.nobody.post("/signup", {"username": "guest", "password": PASSWORD})
    guest = Caller(venue, None, username="guest")
    guest.log_in()
    assert guest.call("GET", "/balance").headers["RateLimit-Limit"] == "50"
    made = guest.post("/api-keys", {"name": "Bot", "scopes": ["read"]}).json
    assert Caller(venue, made["api_key"]).call("GET", "/balance").headers["RateLimit-Limit"] == "50"
    assert "RateLimit-Limit" not in venue.broker().call("GET", "/balance").headers
    assert "RateLimit-Limit" not in venue.person().call("GET", "/balance").headers
    venue.close()


def test_without_redis_each_process_goes_on_counting(redis_url):
    limits = limits_on(Redis(url="redis://127.0.0.1:1/0", timeout_ms=100), Limits(orders_per_second=1))
    with pytest.raises(TooManyRequests):
        for _ in range(5):
            limits.charge(ORDERS, 1)


def test_a_hanging_redis_does_not_delay_every_request():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        redis = Redis(url=f"redis://127.0.0.1:{deaf.getsockname()[1]}/0", timeout_ms=300)
        limits = limits_on(redis, Limits(orders_per_second=1000))
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
    monkeypatch.setattr("queues.limits.counters.RedisStorage", lambda *_, **__: pytest.fail("it asked"))
    monkeypatch.setattr("queues.limits.token_buckets.TokenBuckets.take", lambda *_: pytest.fail("it asked"))
    limits = limits_on(Redis(), Limits())
    limits.refuse_guesser("192.0.2.7")
    limits.note_failure("192.0.2.7")
    assert [limits.charge(bucket, 1) for bucket in (ORDERS, CANCELS, READS)] == [None, None, None]
