"""Given brokers with limits, then administrators see and change them, and nobody is left beyond one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.browser import told
from tests.api.venue import Caller, Venue


def put(venue: Venue, broker: Caller, **wanted: Any) -> Any:
    return venue.admin.put(f"/brokers/{broker.broker_id}", wanted)


def test_brokers_are_listed_newest_first(venue: Venue) -> None:
    older, newer = venue.broker(), venue.broker(cash=5, credit_limit=70, short_limit=8)
    found = venue.admin.get("/brokers")["items"]
    assert [broker["broker_id"] for broker in found[:2]] == [newer.broker_id, older.broker_id]
    one = venue.admin.get(f"/brokers/{newer.broker_id}")
    assert one == found[0]
    assert (one["credit_limit"], one["short_limit"], one["status"], one["open_orders"]) == (70, 8, "active", 0)
    first = venue.admin.get("/brokers", limit=1)
    assert venue.admin.get("/brokers", limit=1, cursor=first["next_cursor"])["items"] == found[1:2]
    assert venue.person("operator").get(f"/brokers/{older.broker_id}")["broker_id"] == older.broker_id


def test_only_administrators_change_them(venue: Venue) -> None:
    broker, operator = venue.broker(), venue.person("operator")
    for caller in (broker, operator, venue.person(broker=broker)):
        assert caller.put(f"/brokers/{broker.broker_id}", {"credit_limit": 10**9}).status_code == 403
    assert told(venue.admin.put("/brokers/999999", {"credit_limit": 1})) == (404, "unknown_broker")
    assert told(venue.admin.put("/brokers/999999", {"nonsense": 1})) == (404, "unknown_broker")
    for wanted in ({}, {"status": "active"}, {"credit_limit": -1}, {"short_limit": True}):
        assert put(venue, broker, **wanted).status_code == 422


def test_what_is_left_out_stays(venue: Venue) -> None:
    broker = venue.broker(credit_limit=5, short_limit=6)
    assert put(venue, broker, name="Another").json["name"] == "Another"
    changed = put(venue, broker, credit_limit=50).json
    assert (changed["name"], changed["credit_limit"], changed["short_limit"]) == ("Another", 50, 6)
    assert broker.get("/balance")["broker_name"] == "Another"


def test_a_credit_line_is_used_up_to_its_new_end(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker(cash=0)
    order = {"document_number": "1", "side": "bid", "symbol": stock, "quantity": 10, "price": 3_500}
    assert told(broker.post("/orders", order)) == (422, "insufficient_funds")
    supply = venue.scalar("SELECT supply FROM assets WHERE id = 1")
    put(venue, broker, credit_limit=35_000)
    assert venue.scalar("SELECT supply FROM assets WHERE id = 1") == supply + 35_000
    assert broker.post("/orders", order).status_code == 201
    answer = put(venue, broker, credit_limit=34_999)
    assert (told(answer), answer.json["errors"].keys()) == ((409, "limit_in_use"), {"credit_limit"})
    assert venue.scalar("SELECT supply FROM assets WHERE id = 1") == supply + 35_000
    assert broker.delete("/orders").status_code in (200, 202)
    venue.match()
    assert put(venue, broker, credit_limit=0).status_code == 200
    assert venue.scalar("SELECT supply FROM assets WHERE id = 1") == supply


def test_a_short_line_is_that_of_all_stocks_also_of_those_not_yet_traded(venue: Venue) -> None:
    old, new, broker = venue.list(), venue.list(), venue.broker()
    broker.order("bid", old, 1, 3_500)  # its account is open
    put(venue, broker, short_limit=10)
    for stock in (old, new):
        assert broker.order("ask", stock, 10, 3_600)
    answer = put(venue, broker, short_limit=9)
    assert (told(answer), answer.json["errors"].keys()) == ((409, "limit_in_use"), {"short_limit"})
    assert venue.admin.get(f"/brokers/{broker.broker_id}")["short_limit"] == 10


@pytest.mark.parametrize("query", [{}, {"symbol": "STK"}, {"side": "ask"}])
def test_an_operator_cancels_without_suspending(venue: Venue, query: dict[str, str]) -> None:
    stock, other, broker = venue.list(), venue.list(), venue.broker()
    broker.order("bid", stock, 1, 3_400)
    kept = broker.order("bid", other, 1, 3_400)
    wanted = {**query, "symbol": stock} if "symbol" in query else query
    operator = venue.person("operator")
    with venue.matching():
        answer = operator.call("DELETE", f"/brokers/{broker.broker_id}/orders", query_string=wanted)
    expected = {"": 2, "symbol": 1, "side": 0}[next(iter(query), "")]
    assert (answer.status_code, answer.json["cancelled"]) == (200, expected)
    venue.match()
    assert broker.get(f"/orders/{kept}")["status"] == ("open" if query else "cancelled")
    entry = venue.admin.get("/audit", limit=1)["items"][0]
    assert (entry["action"], entry["after"]["cancelling"]) == ("broker.cancel_orders", expected)
    assert broker.order("bid", stock, 1, 3_400), "it goes on trading"


def test_orders_of_nobody_are_cancelled_by_nobody(venue: Venue) -> None:
    assert told(venue.admin.delete("/brokers/999999/orders")) == (404, "unknown_broker")
    assert told(venue.broker().delete("/brokers/1/orders")) == (403, "admin_only")
