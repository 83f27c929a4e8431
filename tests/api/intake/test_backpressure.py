"""More waits than can be matched: new orders are refused before they reserve, and it passes by itself."""

import contextlib

import pytest
from sqlalchemy.exc import OperationalError

from services.operations.health import backlog_by_group
from tests.api.venue import Venue, an_order, settings_for

LIMIT = 5


@contextlib.contextmanager
def opened(database_url, redis_url, **match):
    """A venue that leaves nothing unmatched to the next one."""
    venue = Venue(settings_for(database_url, redis_url, match=match))
    yield venue
    venue.match()
    venue.close()


@pytest.fixture
def venue(database_url, redis_url, monkeypatch):
    monkeypatch.setattr("api.intake.backpressure.LOOK_SECONDS", 0.0)
    with opened(database_url, redis_url, backlog_limit=LIMIT) as venue:
        yield venue


def test_new_orders_wait_outside_until_the_backlog_is_matched(venue):
    stock, broker = venue.list(), venue.broker()
    body = {"document_number": "1", "side": "bid", "symbol": stock, "quantity": 1, "price": 3500}
    accepted = [broker.post("/orders", body).json["order_id"] for _ in range(LIMIT + 1)]

    refused = broker.post("/orders", body)
    assert (refused.status_code, refused.json["code"]) == (503, "match_queue_too_deep")
    assert int(refused.headers["Retry-After"]) > 0
    amended = broker.put(f"/orders/{accepted[0]}", {"quantity": 2})
    assert (amended.status_code, amended.json["code"]) == (503, "match_queue_too_deep")
    assert broker.get("/balance")["reserved"] == 3500 * len(accepted)
    assert broker.call("DELETE", f"/orders/{accepted[1]}", headers={"Prefer": "respond-async"}).status_code == 202

    venue.match()
    assert broker.post("/orders", body).status_code == 201


def test_a_deep_group_closes_itself_and_no_other(database_url, redis_url, monkeypatch):
    monkeypatch.setattr("api.intake.backpressure.LOOK_SECONDS", 0.0)
    with opened(database_url, redis_url, backlog_limit=LIMIT, groups=("A", "B")) as venue:
        deep, free, broker = venue.list(group="A"), venue.list(group="B"), venue.broker()
        for _ in range(LIMIT + 1):
            broker.order("bid", deep, 1, 3500)
        assert broker.post("/orders", an_order(symbol=deep)).status_code == 503
        for _ in range(LIMIT + 1):
            broker.order("bid", free, 1, 3500)
        assert broker.post("/orders", an_order(symbol=free)).status_code == 503


def test_no_group_hides_another_however_deep_it_is(venue):
    deep, less_deep, broker = venue.list(), venue.list(), venue.broker()
    for symbol in (deep, less_deep) * 3:
        broker.order("bid", symbol, 1, 3500)
    venue.run("UPDATE stocks SET group_name = 'B' WHERE symbol = :symbol", symbol=less_deep)
    with venue.components.database.reading() as session:
        depths = backlog_by_group(session, 2)
    assert (depths["A"], depths["B"]) == (2, 2)


@pytest.mark.parametrize("away", [False, True])
def test_the_depth_is_not_looked_up_for_every_order(venue, monkeypatch, away):
    looks = []

    def look(*_):
        looks.append(1)
        if away:
            raise OperationalError("SELECT", {}, Exception("away"))
        return {}

    monkeypatch.setattr("api.intake.backpressure.LOOK_SECONDS", 3600.0)
    monkeypatch.setattr("api.intake.backpressure.backlog_by_group", look)
    stock, broker = venue.list(), venue.broker()
    for _ in range(5):
        broker.order("bid", stock, 1, 3500)
    assert len(looks) == 1


def test_without_a_limit_nobody_looks(database_url, redis_url, monkeypatch):
    monkeypatch.setattr("api.intake.backpressure.backlog_by_group", lambda *_: pytest.fail("it looked"))
    with opened(database_url, redis_url, backlog_limit=0) as venue:
        venue.broker().order("bid", venue.list(), 1, 3500)
