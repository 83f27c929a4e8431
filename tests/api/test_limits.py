"""Too many requests: each broker has buckets of its own, and cancelling has one apart."""

from dataclasses import replace

import pytest

from api.limits import CANCELS, ORDERS, READS, RateLimits
from api.problems import TooManyRequests
from config import Limits, Redis
from tests.api.venue import Venue, settings_for


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
    return broker.post(
        "/orders", {"document_number": "1", "side": "bid", "symbol": stock, "quantity": 1, "price": 3500}
    )


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
    one, other = RateLimits(limits, redis), RateLimits(limits, redis)
    left = [limiter.charge(ORDERS, 7, cost=10).remaining for limiter in (one, other) * 3]
    assert min(left) < 1000 - 10


def test_without_redis_each_process_goes_on_counting(redis_url):
    limits = RateLimits(Limits(orders_per_second=1), Redis(url="redis://127.0.0.1:1/0", timeout_ms=100))
    with pytest.raises(TooManyRequests):
        for _ in range(5):
            limits.charge(ORDERS, 1)


def test_without_a_limit_redis_is_not_asked():
    limits = RateLimits(Limits(), replace(Redis(), url="redis://127.0.0.1:1/0"))
    assert [limits.charge(bucket, 1) for bucket in (ORDERS, CANCELS, READS)] == [None, None, None]
