"""Who may do what: every route, every kind of caller."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from api.access.rights import OF_BROKERS, Access
from api.operations.docs import PUBLIC, every_refusal
from api.routes import access_of
from engine.terms.codes import MESSAGES
from services.matching.journal import NEVER_MATCHED
from tests.api.venue import Caller, Venue, settings_for

OPEN_TO_ANYONE = {
    "health.get_time", "health.health", "health.healthcheck", "health.ready",
    "people.sign_up", "people.log_in", "people.refresh", "people.log_out",
    *(f"health at the root.{name}_at_root" for name in ("health", "healthcheck", "ready")),
}  # fmt: skip

IN_SCOPE = """
    GET /health  HEAD /health  GET /healthcheck  GET /ready  GET /time  POST /register
    POST /orders  POST /orders/batch  GET /orders  GET /orders/{order_id}  PUT /orders/{order_id}
    DELETE /orders/{order_id}  POST /orders/{order_id}/cancel  GET /trades  GET /balance  GET /portfolio
    POST /stocks  GET /stocks  GET /stocks/{symbol}  GET /stocks/{symbol}/price  GET /stocks/{symbol}/book
    GET /stocks/{symbol}/book/{order_id}  GET /stocks/{symbol}/trades  GET /stocks/{symbol}/events
    GET /debug/trade-count  POST /debug/reset
"""


def routes(venue: Venue) -> list[tuple[str, str, str]]:
    """(endpoint, method, path) of all, with something in the place of each parameter."""
    found = []
    for rule in venue.app.url_map.iter_rules():
        path = re.sub(
            r"<symbol:\w+>", "STK", re.sub(r"<(order|trade|broker|key|user|session|delivery)_id:\w+>", "1", rule.rule)
        )
        path = re.sub(r"<string:file>", "swagger-ui.css", path)
        found += [(rule.endpoint, method, path) for method in sorted(rule.methods - {"OPTIONS"})]
    return found


def ask(venue: Venue, method: str, path: str, key: str | None) -> Any:
    """One request without a body."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return venue.app.test_client().open(path, method=method, headers=headers, buffered=True)


def test_every_route_says_who_may_use_it(venue: Venue) -> None:
    access = access_of()
    endpoints = {endpoint for endpoint, _, _ in routes(venue)}
    assert endpoints == set(access) | PUBLIC
    assert {endpoint for endpoint, who in access.items() if who is Access.ANYONE} == OPEN_TO_ANYONE


@pytest.mark.parametrize("key", [None, "mx_wrong", "x" * 1_000, "é", "' OR 1=1 --"])
def test_nobody_gets_in_without_a_key(venue: Venue, key: str | None) -> None:
    for endpoint, method, path in routes(venue):
        answer = ask(venue, method, path, key and key.encode().decode("latin-1"))
        if endpoint.startswith("people."):
            assert answer.status_code in (401, 415), path  # no cookie, no body
        elif endpoint in PUBLIC | OPEN_TO_ANYONE:
            assert answer.status_code == 200, path
        elif key is None and access_of()[endpoint] is Access.MARKET:
            assert answer.status_code in (200, 404), path
        else:
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert not answer.text if method == "HEAD" else answer.json["code"] == "unauthenticated"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "{key}", "Token {key}", "Bearer {key} x"])
def test_a_key_must_come_as_a_bearer_token(venue: Venue, header: str) -> None:
    header = header.format(key=venue.broker().key)
    answer = Caller(venue, None).call("GET", "/balance", headers={"Authorization": header})
    assert answer.status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(venue: Venue, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {venue.broker().key}"}
    assert Caller(venue, None).call("GET", "/balance", headers=headers).status_code == 200


def test_a_broker_is_no_administrator_and_the_administrator_no_broker(venue: Venue) -> None:
    broker, access = venue.broker(), access_of()
    for endpoint, method, path in routes(venue):
        who = access.get(endpoint, Access.ANYONE)
        as_broker, as_admin = ask(venue, method, path, broker.key), ask(venue, method, path, venue.admin.key)
        assert as_broker.status_code != 401 or endpoint.startswith("people."), path
        assert as_admin.status_code != 401 or endpoint.startswith("people."), path
        if who is Access.PERSON:
            codes = {answer.json["code"] for answer in (as_broker, as_admin) if method != "HEAD"}
            assert codes <= {"person_only"}, path
        if who in (Access.ADMIN, Access.DEBUG):
            assert as_broker.status_code == 403, path
            assert method == "HEAD" or as_broker.json["code"] == "admin_only", path
        if who in OF_BROKERS:
            assert as_admin.status_code == 403, path
            assert method == "HEAD" or as_admin.json["code"] == "broker_only", path


def test_debug_is_not_there_unless_switched_on(database_url: str, redis_url: str) -> None:
    venue = Venue(settings_for(database_url, redis_url, exchange={"debug": False}))
    broker = venue.broker()
    debug = [(method, path) for endpoint, method, path in routes(venue) if endpoint.startswith("debug.")]
    assert len(debug) == 3  # with HEAD
    for method, path in debug:
        for key in (None, broker.key, venue.admin.key):
            assert ask(venue, method, path, key).status_code == 404
    venue.close()


def test_another_brokers_order_is_nobody_elses(venue: Venue) -> None:
    stock, owner, other = venue.list(), venue.broker(), venue.broker()
    order_id = owner.order("bid", stock, 1, 3_500, client_order_id="mine")
    for answer in (
        other.call("GET", f"/orders/{order_id}"),
        other.put(f"/orders/{order_id}", {"quantity": 2}),
        other.delete(f"/orders/{order_id}"),
        other.post(f"/orders/{order_id}/cancel"),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "not_your_order")
    assert other.get("/orders")["items"] == []
    assert owner.get(f"/orders/{order_id}")["status"] == "pending"
    assert venue.scalar("SELECT count(*) FROM commands WHERE order_id = :id", id=order_id) == 1


def test_a_revoked_key_is_believed_for_a_moment_at_most(database_url: str, redis_url: str) -> None:
    venue = Venue(settings_for(database_url, redis_url, web={"key_cache_ms": 1_000}))
    broker = venue.broker()
    broker.get("/balance")
    venue.run("UPDATE api_keys SET revoked_at = now() WHERE broker_id = :id", id=broker.broker_id)
    assert broker.call("GET", "/balance").status_code == 200
    time.sleep(1.05)
    assert broker.call("GET", "/balance").status_code == 401
    venue.close()


def test_a_stored_administrators_key(database_url: str, redis_url: str) -> None:
    from database.session import transaction  # noqa: PLC0415
    from services.identity.admin_key import ensure_admin_key  # noqa: PLC0415

    venue = Venue(settings_for(database_url, redis_url, exchange={"admin_key": ""}))
    with transaction(venue.engine) as session:
        key = ensure_admin_key(session)
    assert Caller(venue, key).get("/debug/trade-count") == {"trade_count": 0}
    assert Caller(venue, "").call("GET", "/debug/trade-count").status_code == 401
    venue.close()


def test_every_promised_path_is_described(venue: Venue) -> None:
    document = venue.app.test_client().get("/api/v1/openapi.json").json
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item if method != "parameters"
    }
    words = IN_SCOPE.split()
    for method, path in zip(words[::2], words[1::2], strict=True):
        assert ("GET" if method == "HEAD" else method, f"/api/v1{path}") in described


def test_every_described_operation_is_protected_as_it_says(venue: Venue) -> None:
    document = venue.app.test_client().get("/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    public = set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                assert operation["summary"], path
                assert "default" in operation["responses"], path
                if not operation["security"]:
                    public.add(path)
    assert public == {
        *(f"/api/v1/{name}" for name in ("time", "health", "healthcheck", "ready")),
        *(f"/api/v1/{name}" for name in ("signup", "token", "token/refresh", "logout")),
        "/health", "/healthcheck", "/ready",
    }  # fmt: skip


def test_the_pages_need_nothing_from_elsewhere(venue: Venue) -> None:
    client = venue.app.test_client()
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.text.replace("https", "http").replace('<html lang="en">', "")
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        answer = client.get(asset, buffered=True)
        assert answer.status_code == 200, asset
        assert answer.data
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert client.get("/docs/assets/..%2f__init__.py").status_code == 404


def test_the_page_of_error_codes_has_every_code(venue: Venue) -> None:
    page = venue.app.test_client().get("/docs/errors").text
    refusals = every_refusal()
    assert len(refusals) > 50
    for code in [refusal.code() for refusal in refusals] + [*MESSAGES, *NEVER_MATCHED]:
        assert f"<code>{code}</code>" in page
    assert all(refusal.message().endswith(".") for refusal in refusals)
