"""Whoever looks at the market needs no key, unless the exchange wants one; a wrong key is never no key."""

from __future__ import annotations

import pytest

from api.access.rights import Access
from api.routes import RESOURCES
from tests.api.access.test_scopes import path_of
from tests.api.venue import Caller, Venue, settings_for

MARKET = [
    path_of(rule)
    for resource in RESOURCES
    for method, rule, view in resource.routes
    if resource.access[f"{resource.name}.{view.__name__}"] is Access.MARKET
]


@pytest.fixture(scope="module")
def stock(venue: Venue) -> str:
    stock = venue.list(symbol="STK")
    broker = venue.broker()
    broker.order("bid", stock, 10, 3_400)  # the one with the id 1
    venue.match()
    return stock


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("path", MARKET)
def test_a_passer_by_sees_the_market(venue: Venue, path: str) -> None:
    as_nobody = venue.nobody.call("GET", path)
    assert as_nobody.status_code == 200
    assert as_nobody.json is not None
    assert venue.broker().call("GET", path).status_code == 200
    for header in ("Bearer mx_wrong", "Bearer", "", "Basic YTpi", "Bearer " + "x" * 60):
        refused = venue.nobody.call("GET", path, headers={"Authorization": header})
        assert (refused.status_code, refused.json["code"]) == (401, "unauthenticated"), header


def test_what_it_sees_of_an_order_is_not_whose_it_is(venue: Venue, stock: str) -> None:
    assert venue.nobody.get(f"/stocks/{stock}/book/1").keys() == {
        "order_id", "symbol", "side", "price", "remaining_quantity", "place", "quantity_ahead",
    }  # fmt: skip


def test_a_revoked_key_is_no_passer_by(venue: Venue) -> None:
    broker = venue.broker()
    made = broker.post("/api-keys", {"name": "Screen", "scopes": ["read"]}).json
    screen = Caller(venue, made["api_key"], broker.broker_id)
    assert screen.call("GET", "/ticker").status_code == 200
    broker.delete(f"/api-keys/{made['key_id']}")
    refused = screen.call("GET", "/ticker")
    assert (refused.status_code, refused.json["code"]) == (401, "key_revoked")


def test_where_it_is_not_public_a_key_is_needed(database_url: str, redis_url: str) -> None:
    venue = Venue(settings_for(database_url, redis_url, web={"public_market_data": False}))
    for path in MARKET:
        assert venue.nobody.call("GET", path).status_code == 401, path
        assert venue.broker().call("GET", path).status_code in (200, 404), path
    venue.close()


def test_reading_without_a_key_is_limited_by_address(database_url: str, redis_url: str) -> None:
    venue = Venue(settings_for(database_url, redis_url, limits={"anonymous_reads_per_second": 1}))
    answers = [venue.nobody.call("GET", "/ticker") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[0].headers["RateLimit-Limit"] == "1"
    assert answers[1].json["code"] == "too_many_requests"
    assert venue.broker().call("GET", "/ticker").status_code == 200  # a broker has a bucket of its own
    other = venue.nobody.call("GET", "/ticker", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert other.status_code == 200
    venue.close()


@pytest.mark.parametrize(("limits", "limit"), [({"reads_per_second": 2}, "2"), ({}, None)])
def test_without_a_limit_of_its_own_an_address_has_a_brokers(
    database_url: str, redis_url: str, limits: dict[str, int], limit: str | None
) -> None:
    venue = Venue(settings_for(database_url, redis_url, limits=limits))
    assert venue.nobody.call("GET", "/sparklines").headers.get("RateLimit-Limit") == limit
    venue.close()
