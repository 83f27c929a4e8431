"""Every kind of order over REST: stored as it was asked for, shown so, and known again by its client_order_id."""

from __future__ import annotations

from typing import Any

import pytest

from api.trading.new_order_schemas import NewOrderSchema
from tests.api.venue import Venue, an_order

KINDS: dict[str, dict[str, Any]] = {
    "limit": {},
    "day": {"time_in_force": "day"},
    "ioc": {"time_in_force": "ioc"},
    "fok": {"time_in_force": "fok"},
    "market": {"order_type": "market", "price": None},
    "market, all or nothing": {"order_type": "market", "price": None, "time_in_force": "fok"},
    "stop": {"order_type": "stop", "price": None, "stop_price": 3_600},
    "stop for the day": {"order_type": "stop", "price": None, "stop_price": 3_600, "time_in_force": "day"},
    "stop-limit": {"order_type": "stop_limit", "price": 3_650, "stop_price": 3_600},
    "iceberg": {"display_quantity": 10},
    "post-only": {"post_only": True},
}
IMPLIED = {"market": "ioc"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_is_shown_as_it_was_asked_for(venue: Venue, kind: str) -> None:
    stock, seller, broker = venue.list(), venue.broker(short_limit=1_000), venue.broker()
    seller.order("ask", stock, 100, 3_700)
    venue.match()
    asked = {**an_order("bid", stock), **KINDS[kind], "client_order_id": kind}
    order_id = broker.post("/orders", asked).json["order_id"]
    venue.match()
    shown = broker.get(f"/orders/{order_id}")
    wanted = {"order_type": "limit", "stop_price": None, "display_quantity": None, "post_only": False, **asked}
    wanted.setdefault("time_in_force", IMPLIED.get(kind, "gtc"))
    assert {name: shown[name] for name in wanted} == wanted
    waits = kind.startswith("stop")
    assert (shown["status"] == "untriggered") == waits
    listed = broker.get("/orders", status="untriggered")["items"]
    assert [one["order_id"] for one in listed] == ([order_id] if waits else [])


@pytest.mark.parametrize("kind", ["stop", "stop-limit", "iceberg", "post-only"])
def test_the_same_again_is_known_and_another_is_refused(venue: Venue, kind: str) -> None:
    stock, broker = venue.list(), venue.broker()
    asked = {**an_order("bid", stock), **KINDS[kind], "client_order_id": kind}
    first, again = (broker.post("/orders", asked) for _ in range(2))
    assert (first.status_code, again.status_code, again.json["order_id"]) == (201, 200, first.json["order_id"])
    other = {**asked, **({"post_only": False} if kind == "post-only" else {"display_quantity": 20})}
    if kind.startswith("stop"):
        other = {**asked, "stop_price": 3_601}
    refused = broker.post("/orders", other)
    assert (refused.status_code, refused.json["code"]) == (422, "client_order_id_reused")


def test_a_plain_order_has_the_fingerprint_that_it_always_had() -> None:
    """An order that was sent before an upgrade, and is sent again after it, is the same order."""
    request = NewOrderSchema().load(
        {"document_number": "1", "side": "bid", "symbol": "PETR4", "quantity": 1, "price": 2}
    )
    assert request.fingerprint.hex()[:16] == "d0a7833f7bf5bcf4"


def test_a_waiting_stop_reserves_and_gives_back(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker(cash=1_000_000)
    body = {**an_order("bid", stock, 100, None), "order_type": "stop", "stop_price": 3_600}
    order_id = broker.post("/orders", body).json["order_id"]
    assert broker.get("/balance")["reserved"] == 378_000
    venue.match()
    amended = broker.put(f"/orders/{order_id}", {"price": 3_000})
    assert (amended.status_code, amended.json["code"]) == (409, "stop_not_amendable")
    with venue.matching():
        assert broker.put(f"/orders/{order_id}", {"quantity": 50}).json["quantity"] == 50
        assert broker.get("/balance")["reserved"] == 189_000
        assert broker.delete(f"/orders/{order_id}").status_code == 204
    assert broker.get("/balance")["reserved"] == 0


def test_what_prevention_took_is_told_apart_from_what_was_cancelled(venue: Venue) -> None:
    stock = venue.list()
    broker = venue.broker(shares={stock: 100})
    ask = broker.order("ask", stock, 10, 3_500)
    bid = broker.order("bid", stock, 4, 3_500, self_trade_prevention="decrement")
    venue.match()
    with venue.matching():
        broker.delete(f"/orders/{ask}")
    seen = {one: broker.get(f"/orders/{one}") for one in (ask, bid)}
    assert [(one["cancelled_quantity"], one["prevented_quantity"]) for one in seen.values()] == [(6, 4), (0, 4)]
