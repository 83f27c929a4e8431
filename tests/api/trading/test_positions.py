"""Given positions, when they are closed over REST, then the answer is the order, and nothing of them is left."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.api.browser import told
from tests.api.venue import Caller, Venue, an_order


@pytest.fixture
def stock(venue: Venue) -> str:
    """There are bids for 1000 at 990 and asks for 1000 at 1010."""
    stock = venue.list(reference_price=1_000)
    maker = venue.broker(shares={stock: 10_000})
    maker.order("bid", stock, 1_000, 990)
    maker.order("ask", stock, 1_000, 1_010)
    venue.match()
    return stock


def held(broker: Caller) -> dict[str, tuple[int, int]]:
    positions = broker.get("/portfolio")["positions"]
    return {
        one["symbol"]: (one["available"], one["reserved"]) for one in positions if one["available"] or one["reserved"]
    }


def test_a_position_is_closed_and_its_order_is_the_answer(venue: Venue, stock: str) -> None:
    broker = venue.broker(cash=0, shares={stock: 100})
    broker.order("ask", stock, 60, 1_050)
    with venue.matching():
        answer = broker.call("DELETE", f"/positions/{stock.lower()}")
    assert (answer.status_code, answer.json["status"], answer.json["filled_quantity"]) == (201, "filled", 100)
    assert answer.headers["Location"] == f"/api/v1/orders/{answer.json['order_id']}"
    assert held(broker) == {}
    assert broker.get("/orders", status="open")["items"] == []
    assert broker.get("/balance")["available"] == 99_000
    assert told(broker.call("DELETE", f"/positions/{stock}")) == (404, "no_position")


def test_twice_at_once_sells_once(venue: Venue, stock: str) -> None:
    broker = venue.broker(cash=0, shares={stock: 100})
    answers: list[Any] = []
    with venue.matching():
        threads = [
            threading.Thread(target=lambda: answers.append(broker.call("DELETE", f"/positions/{stock}")))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(answer.json.get("filled_quantity", 0) for answer in answers) == 100
    others = {answer.json.get("reject_code") or answer.json.get("code") for answer in answers}
    assert others <= {None, "no_position", "insufficient_shares"}
    assert held(broker) == {}


def test_without_waiting_the_order_is_pending(venue: Venue, stock: str) -> None:
    broker = venue.broker(shares={stock: 100})
    answer = broker.call("DELETE", f"/positions/{stock}", headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.json["status"]) == (201, "pending")
    assert answer.headers["Preference-Applied"] == "respond-async"
    venue.match()
    assert held(broker) == {}


@pytest.mark.parametrize(
    ("state", "code"), [("halted", "stock_halted"), ("closed", "stock_closed"), ("pre_open", "stock_closed")]
)
def test_where_it_cannot_trade_nothing_changes(venue: Venue, stock: str, state: str, code: str) -> None:
    broker = venue.broker(shares={stock: 100})
    order_id = broker.order("ask", stock, 60, 1_050)
    venue.match()
    venue.admin.post(f"/stocks/{stock}/state", {"state": state})
    venue.match()
    answer = broker.call("DELETE", f"/positions/{stock}")
    assert (told(answer), answer.json["state"]) == ((409, code), state)
    assert held(broker) == {stock: (40, 60)}
    assert broker.get(f"/orders/{order_id}")["status"] == "open"


def test_all_at_once_says_what_becomes_of_each(venue: Venue, stock: str) -> None:
    halted, untraded = venue.list(reference_price=1_000), venue.list(reference_price=1_000)
    broker = venue.broker(shares={stock: 100, halted: 5, untraded: 7})
    venue.admin.post(f"/stocks/{halted}/state", {"state": "halted"})
    venue.match()
    with venue.matching():
        answer = broker.call("DELETE", "/positions")
    assert answer.status_code == 201
    one, two, three = answer.json["items"]
    assert (one["symbol"], one["refusal"], two["order_id"], three["refusal"]) == (stock, None, None, None)
    assert two["refusal"]["code"] == "stock_halted"
    assert broker.get(f"/orders/{one['order_id']}")["status"] == "filled"
    assert broker.get(f"/orders/{three['order_id']}")["status"] == "expired"
    assert held(broker) == {halted: (5, 0), untraded: (7, 0)}
    nobody = venue.broker().call("DELETE", "/positions")
    assert (nobody.status_code, nobody.json) == (200, {"items": []})


def test_closing_is_trading_whatever_the_method_is(venue: Venue, stock: str) -> None:
    """A key that cancels may cancel, not sell; nor does a broker's person of another kind."""
    broker = venue.broker(shares={stock: 100})
    for scopes in (["cancel"], ["read"], ["read", "cancel"]):
        key = broker.post("/api-keys", {"name": "narrow", "scopes": scopes}).json["api_key"]
        for path in ("/positions", f"/positions/{stock}"):
            answer = Caller(venue, key).call("DELETE", path)
            assert (told(answer), answer.json["scope"]) == ((403, "scope_missing"), "trade")
    assert told(venue.admin.call("DELETE", "/positions")) == (403, "broker_only")
    assert told(venue.person("operator").call("DELETE", f"/positions/{stock}")) == (403, "role_missing")
    venue.admin.post(f"/brokers/{broker.broker_id}/suspend")
    assert told(broker.call("DELETE", "/positions")) == (403, "broker_suspended")
    assert held(broker) == {stock: (100, 0)}


def test_a_body_or_a_query_is_refused(venue: Venue, stock: str) -> None:
    broker = venue.broker(shares={stock: 100})
    assert told(broker.call("DELETE", f"/positions/{stock}", json={"quantity": 1}))[0] == 422
    assert told(broker.call("DELETE", "/positions?symbol=PETR4"))[0] == 422
    assert told(broker.call("DELETE", "/positions/NONE9")) == (404, "unknown_stock")
    assert held(broker) == {stock: (100, 0)}


def test_a_person_buys_a_short_back(venue: Venue, stock: str) -> None:
    broker = venue.broker(cash=1_000_000, short_limit=500)
    broker.post("/orders", an_order("ask", stock, 200, price=990))
    venue.match()
    with venue.matching():
        answer = venue.person(broker=broker).call("DELETE", f"/positions/{stock}")
    assert (answer.json["side"], answer.json["filled_quantity"]) == ("bid", 200)
    assert held(broker) == {}
