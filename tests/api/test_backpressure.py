"""More waits than can be matched: new orders are refused before they reserve, and it passes by itself."""

import pytest

from tests.api.venue import Venue, settings_for

LIMIT = 5


@pytest.fixture
def venue(database_url, redis_url, monkeypatch):
    monkeypatch.setattr("api.backpressure.LOOK_SECONDS", 0.0)
    venue = Venue(settings_for(database_url, redis_url, match={"backlog_limit": LIMIT}))
    yield venue
    venue.close()


def test_new_orders_wait_outside_until_the_backlog_is_matched(venue):
    stock, broker = venue.list(), venue.broker()
    body = {"document_number": "1", "side": "bid", "symbol": stock, "quantity": 1, "price": 3500}
    accepted = [broker.post("/orders", body).json["order_id"] for _ in range(LIMIT + 1)]

    refused = broker.post("/orders", body)
    assert (refused.status_code, refused.json["code"]) == (503, "match_queue_too_deep")
    assert int(refused.headers["Retry-After"]) > 0
    assert broker.call("PUT", f"/orders/{accepted[0]}", json={"quantity": 2}).status_code == 503
    assert broker.get("/balance")["reserved"] == 3500 * len(accepted)
    assert broker.call("DELETE", f"/orders/{accepted[1]}", headers={"Prefer": "respond-async"}).status_code == 202

    venue.match()
    assert broker.post("/orders", body).status_code == 201


def test_without_a_limit_nobody_looks(database_url, redis_url, monkeypatch):
    monkeypatch.setattr("api.backpressure.backlog_by_group", lambda *_: pytest.fail("it looked"))
    venue = Venue(settings_for(database_url, redis_url, match={"backlog_limit": 0}))
    stock, broker = venue.list(), venue.broker()
    body = {"document_number": "1", "side": "bid", "symbol": stock, "quantity": 1, "price": 3500}
    assert broker.post("/orders", body).status_code == 201
    venue.close()
