"""The one table of who may do what, at every door of a broker's key."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from api.access.rights import ENOUGH, OF_BROKERS, Access
from api.routes import RESOURCES
from services.identity.scopes import CANCEL, READ, SCOPES, TRADE
from tests.api.venue import Caller, Venue

WHAT_IT_TAKES = {
    "POST /orders": {TRADE}, "POST /orders/batch": {TRADE}, "POST /orders/preview": {TRADE},
    "DELETE /positions": {TRADE}, "DELETE /positions/STK": {TRADE}, "PUT /orders/1": {TRADE},
    "DELETE /orders/1": {CANCEL}, "POST /orders/1/cancel": {CANCEL}, "DELETE /orders": {CANCEL},
    "DELETE /orders/by-client-id/mine": {CANCEL}, "POST /orders/cancel-after": {CANCEL},
    "GET /orders": {READ, CANCEL}, "GET /orders/1": {READ, CANCEL},
    "GET /balance": {READ}, "GET /portfolio": {READ}, "GET /trades": {READ}, "GET /api-keys": {READ},
    "GET /clock": {READ}, "GET /me": {READ}, "GET /transfers": {READ}, "GET /portfolio/history": {READ},
    "GET /trades/1/explain": {READ}, "GET /fees": {READ}, "GET /account/events": {READ},
    "GET /stocks": {READ}, "GET /stocks/STK": {READ}, "GET /stocks/STK/price": {READ}, "GET /stocks/STK/book": {READ},
    "GET /stocks/STK/candles": {READ}, "GET /stocks/STK/ticker": {READ}, "GET /ticker": {READ},
    "GET /sparklines": {READ}, "GET /stocks/STK/indicative": {READ}, "GET /config": {READ},
    "GET /stocks/STK/book/1": {READ}, "GET /stocks/STK/trades": {READ}, "GET /stocks/STK/events": {READ},
    "GET /webhook": {READ}, "GET /webhook/deliveries": {READ}, "GET /webhook/deliveries/1": {READ},
}  # fmt: skip
"""Any one of these scopes is enough."""

OF_ANYBODY_WITH_A_KEY = {Access.KEY, Access.MARKET}
WITH_ALL = {
    "POST /api-keys", "POST /api-keys/1/rotate", "DELETE /api-keys/1", "PUT /webhook", "DELETE /webhook",
    "POST /webhook/rotate-secret", "POST /webhook/test", "POST /webhook/deliveries/1/retry",
}  # fmt: skip
KEYS = [set(some) for count in range(1, 4) for some in combinations(SCOPES, count)]


def path_of(rule: str) -> str:
    for parameter, value in (
        ("<order_id:order_id>", "1"),
        ("<trade_id:trade_id>", "1"),
        ("<key_id:key_id>", "1"),
        ("<delivery_id:delivery_id>", "1"),
        ("<symbol:symbol>", "STK"),
        ("<client_order_id:client_order_id>", "mine"),
    ):
        rule = rule.replace(parameter, value)
    return rule.removeprefix("/api/v1")


def routes_of_brokers() -> set[str]:
    return {
        f"{method} {path_of(rule)}"
        for resource in RESOURCES
        for method, rule, view in resource.routes
        if resource.access[f"{resource.name}.{view.__name__}"] in OF_BROKERS | OF_ANYBODY_WITH_A_KEY
    }


def test_every_route_of_a_broker_is_in_the_table() -> None:
    assert routes_of_brokers() == set(WHAT_IT_TAKES) | WITH_ALL


def test_every_access_that_a_broker_may_have_asks_for_scopes() -> None:
    assert set(ENOUGH) == OF_BROKERS | OF_ANYBODY_WITH_A_KEY


@pytest.mark.parametrize("scopes", KEYS, ids=lambda scopes: "+".join(sorted(scopes)))
def test_a_key_opens_what_it_is_for_and_nothing_else(venue: Venue, scopes: set[str]) -> None:
    broker = venue.broker()
    made = broker.post("/api-keys", {"name": "Narrow", "scopes": sorted(scopes)}).json
    bot = Caller(venue, made["api_key"], broker.broker_id)
    for route in sorted(routes_of_brokers()):
        method, path = route.split()
        enough = scopes == set(SCOPES) if route in WITH_ALL else bool(scopes & WHAT_IT_TAKES[route])
        answer: Any = bot.call(method, path)
        missing = (answer.json or {}).get("code") == "scope_missing" if answer.status_code == 403 else False
        assert missing is not enough, (route, answer.status_code)
        if missing:
            assert answer.json["scope"] in set(SCOPES) - scopes


def test_the_scope_is_asked_for_before_anything_is_looked_at(venue: Venue) -> None:
    stock, broker, other = venue.list(), venue.broker(), venue.broker()
    order_id = other.order("bid", stock, 1, 3_500)
    made = broker.post("/api-keys", {"name": "Screen", "scopes": [READ]}).json
    screen = Caller(venue, made["api_key"], broker.broker_id)
    for method, path, body in (
        ("DELETE", f"/orders/{order_id}", None),  # somebody else's
        ("DELETE", "/orders/999999", None),  # nobody's
        ("POST", "/orders", {"nonsense": True}),
        ("POST", "/orders/batch", []),
        ("POST", "/orders/cancel-after", {"seconds": 0}),
    ):
        answer = screen.call(method, path, **({} if body is None else {"json": body}))
        assert (answer.status_code, answer.json["code"]) == (403, "scope_missing"), path


def test_a_cancelling_key_amends_nothing(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    order_id = broker.order("bid", stock, 10, 3_500)
    venue.match()
    made = broker.post("/api-keys", {"name": "Risk", "scopes": [CANCEL]}).json
    risk = Caller(venue, made["api_key"], broker.broker_id)
    assert risk.put(f"/orders/{order_id}", {"price": 3_600}).json["code"] == "scope_missing"
    assert risk.get(f"/orders/{order_id}")["price"] == 3_500
    with venue.matching():
        assert risk.delete(f"/orders/{order_id}").status_code == 204
