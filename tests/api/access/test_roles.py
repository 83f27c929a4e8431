"""Every route × every role of people: the one table of who may do what, and nobody gets at what is another's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from api.access.rights import OF_BROKERS, Access
from api.routes import RESOURCES
from services.identity.people.roles import ADMIN, CLEARING, OPERATOR, ROLES, TRADER
from tests.api.venue import Caller, Venue

MAY = {
    **{access: {TRADER} for access in OF_BROKERS},
    Access.ANYONE: {*ROLES},
    Access.KEY: {*ROLES},
    Access.MARKET: {*ROLES},
    Access.PERSON: {*ROLES},
    Access.CLEARING: {CLEARING, ADMIN},
    Access.OPERATOR: {OPERATOR, ADMIN},
    Access.ADMIN: {ADMIN},
    Access.DEBUG: {ADMIN},
}
"""Who gets past the door. Written down a second time on purpose."""

LEFT_OUT = {("POST", "/debug/reset"), ("DELETE", "/sessions")}
"""What would end the test."""


def routes() -> list[tuple[str, str, Access]]:
    """Method, rule, and who may use it."""
    return [
        (method, rule.removeprefix("/api/v1"), resource.access[f"{resource.name}.{view.__name__}"])
        for resource in RESOURCES
        for method, rule, view in resource.routes
    ]


def named(rule: str, thing: str) -> str:
    """A path with an id, or a name, in the place of each parameter."""
    path = rule.replace("<symbol:symbol>", "STK").replace("<client_order_id:client_order_id>", "theirs")
    return re.sub(r"<\w+:\w+_id>", thing, path)


def test_the_table_has_every_access() -> None:
    assert set(MAY) == set(Access)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_it_is_for_and_nothing_else(venue: Venue, role: str) -> None:
    person = venue.person(role)
    asked = 0
    for method, rule, access in routes():
        if (method, rule) in LEFT_OUT or access is Access.ANYONE:
            continue
        answer: Any = person.call(method, named(rule, "999999"))
        code = (answer.json or {}).get("code") if answer.data else None
        assert (code == "role_missing") is (role not in MAY[access]), (method, rule, answer.status_code)
        if code == "role_missing":
            assert answer.status_code == 403
            assert answer.json["role"] in MAY[access]
        asked += 1
    assert asked > 40


def test_the_role_is_asked_for_before_anything_is_looked_at(venue: Venue) -> None:
    operator = venue.person("operator")
    other = venue.broker()
    order_id = other.order("bid", venue.list(), 1, 3_500)
    for method, path, body in (
        ("DELETE", f"/orders/{order_id}", None), ("DELETE", "/orders/999999", None),
        ("POST", "/orders", {"nonsense": True}), ("PUT", "/users/999999", {"role": "admin"}), ("POST", "/users", []),
    ):  # fmt: skip
        answer = operator.call(method, path, **({} if body is None else {"json": body}))
        assert (answer.status_code, answer.json["code"]) == (403, "role_missing"), path


@pytest.mark.parametrize("role", ROLES)
def test_nobody_gets_at_what_is_another_brokers_or_persons(venue: Venue, role: str) -> None:
    """Somebody else's order, key, session, each by every route that takes one."""
    person, stock, other = venue.person(role), venue.list(), venue.broker(cash=10**10)
    owner = venue.person(broker=other)
    order_id = other.order("bid", stock, 1, 3_500, client_order_id="theirs")
    things = {
        "order_id": order_id,
        "key_id": other.post("/api-keys", {"name": "Theirs", "scopes": ["read"]}).json["key_id"],
        "session_id": owner.get("/sessions")["items"][0]["session_id"],
    }
    before = snapshot(venue, other, owner)
    asked = 0
    for method, rule, access in routes():
        for parameter, thing in things.items():
            if f":{parameter}>" not in rule or "<symbol" in rule or access is Access.ANYONE:
                continue
            for body in ({}, {"json": {"nonsense": 1}}, {"json": {"quantity": 2}}, {"data": "{"}):
                if not body or method != "GET":
                    answer = person.call(method, named(rule, str(thing)), **body)
                    assert answer.status_code == 403, (method, rule, answer.text)
            asked += 1
    assert asked >= 6
    gone = person.delete("/orders/by-client-id/theirs")
    assert gone.status_code in (403, 404)
    assert snapshot(venue, other, owner) == before


def snapshot(venue: Venue, broker: Caller, person: Caller) -> list[Any]:
    """What somebody has."""
    keys = [{**key, "last_used_at": None} for key in broker.get("/api-keys")["items"]]
    count = "SELECT count(*) FROM commands c JOIN orders o ON o.id = c.order_id WHERE o.broker_id = :id"
    commands = venue.scalar(count, id=broker.broker_id)
    return [broker.get("/orders"), keys, person.get("/sessions"), broker.get("/balance"), commands]


BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/orders", {"document_number": "1", "side": "bid", "symbol": "STK", "quantity": 1, "price": 1}),
    ("POST", "/orders/cancel-after", {"seconds": 0}),
    ("POST", "/api-keys", {"name": "x", "scopes": ["read"]}),
    ("PUT", "/me/password", {"current_password": "x", "new_password": "nine tall ships at anchor"}),
    ("POST", "/signup", {"username": "climber", "password": "nine tall ships at anchor"}),
    ("POST", "/token", {"username": "climber", "password": "nine tall ships at anchor"}),
]


@pytest.mark.parametrize("field", ["broker_id", "role", "credit_limit", "user_id", "status"])
@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=lambda value: value if type(value) is str else "")
def test_no_body_says_who_one_is(venue: Venue, method: str, path: str, body: dict[str, Any], field: str) -> None:
    answer = venue.person().call(method, path, json={**body, field: "admin" if field == "role" else 1})
    assert answer.status_code == 422
    assert field in answer.json["errors"]
