"""The OpenAPI document: valid, true, and good enough to begin with."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.venue import Caller, Venue, an_order, settings_for

Operation = tuple[str, str, Any]


@pytest.fixture(scope="module")
def broker(venue: Venue) -> Caller:
    """Rich, and its stock is listed."""
    venue.list(symbol="PETR4")
    return venue.broker(cash=10**12, shares={"PETR4": 10**6})


def operations(venue: Venue) -> list[Operation]:
    """(path, method, operation) of all that is described."""
    return [
        (path, method, operation)
        for path, item in venue.description.document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


def nodes(document: Any, name: str) -> list[Any]:
    """Every value of members with that name."""
    if isinstance(document, list):
        return [found for one in document for found in nodes(one, name)]
    if not isinstance(document, dict):
        return []
    here = [document[name]] if name in document else []
    return here + [found for one in document.values() for found in nodes(one, name)]


def test_is_valid_openapi(venue: Venue) -> None:
    document = venue.app.test_client().get("/api/v1/openapi.json").json
    OpenAPIV31SpecValidator(document).validate()


def test_says_who_it_is_and_what_each_operation_is_called(venue: Venue) -> None:
    document = venue.description.document
    assert document["servers"][0]["url"] == "/"
    assert "Authorization: Bearer" in document["info"]["description"]
    names = [operation["operationId"] for _, _, operation in operations(venue)]
    assert len(set(names)) == len(names) > 30
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for _, _, operation in operations(venue) for tag in operation["tags"]} <= described
    assert all(schema.get("description") or "enum" in schema for schema in document["components"]["schemas"].values())


def test_patterns_mean_the_same_to_every_reader(venue: Venue) -> None:
    """ECMA-262 has no \\Z, \\A or named groups of Python's kind, and `u` allows no needless escapes."""
    patterns = [one for one in nodes(venue.description.document, "pattern") if isinstance(one, str)]
    assert patterns
    for pattern in patterns:
        assert re.fullmatch(r"\^[A-Za-z0-9\[\]._{},-]+\$", pattern), pattern


def test_words_are_types_with_a_name(venue: Venue) -> None:
    """A generator makes one type of each, and none has null among its words."""
    document = venue.description.document
    schemas = document["components"]["schemas"]
    named = [schema["enum"] for schema in schemas.values() if "enum" in schema]
    assert sorted(map(str, nodes(document, "enum"))) == sorted(map(str, named))
    assert all(isinstance(word, str) for words in named for word in words)


def test_a_query_has_no_null(venue: Venue) -> None:
    for path, _, operation in operations(venue):
        for parameter in operation.get("parameters", []):
            assert "null" not in parameter["schema"].get("type", ""), path
            assert parameter["schema"].get("default", 1) is not None, path


def test_debugging_is_described_only_where_it_is(venue: Venue, database_url: str, redis_url: str) -> None:
    assert any("/debug/" in path for path, _, _ in operations(venue))
    other = Venue(settings_for(database_url, redis_url, exchange={"debug": False}))
    assert not [path for path, _, _ in operations(other) if "/debug/" in path]
    assert "debug" not in {tag["name"] for tag in other.description.document["tags"]}
    other.close()


def test_answers_may_have_more_one_day_and_problems_have_more_today(venue: Venue) -> None:
    schemas = venue.app.test_client().get("/api/v1/openapi.json").json["components"]["schemas"]
    for name in ("Problem", "Refusal", "Placed", "Order", "Fill", "Stock", "Book", "OrderPage"):
        assert schemas[name].get("additionalProperties", True) is True, name
    for name in ("NewOrder", "Batch", "Amendment", "NewStock", "NewBroker", "StateChange", "CancelAfter"):
        assert schemas[name]["additionalProperties"] is False, name


def test_a_placed_order_is_described_with_its_fills(venue: Venue) -> None:
    schemas = venue.description.document["components"]["schemas"]
    assert schemas["Placed"]["properties"].keys() == schemas["Order"]["properties"].keys()
    assert schemas["Placed"]["required"] == ["client_order_id", "order_id", "status"]


def traded(venue: Venue, broker: Caller) -> int:
    """A trade of the broker's; its id."""
    stock = venue.list()
    broker.order("bid", stock, 1, 3_500)
    venue.broker(shares={stock: 1}).order("ask", stock, 1, 3_500)
    venue.match()
    return int(venue.scalar("SELECT max(id) FROM trades"))


def waiting_bust(venue: Venue, trade_id: int) -> int:
    """A bust of it that waits for a second person; its id."""
    bust_id = venue.person("clearing").post(f"/trades/{trade_id}/bust", {"reason": "example"}).json["bust_id"]
    venue.run("UPDATE busts SET status = 'needs_confirmation' WHERE id = :id", id=bust_id)
    return int(bust_id)


def test_every_example_is_accepted(venue: Venue, broker: Caller) -> None:
    """What "Try it out" begins with does something."""
    tried = 0
    with venue.matching():
        for path, method, operation in operations(venue):
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for name, example in content.get("examples", {}).items():
                caller = broker if {"apiKey": []} in operation["security"] else venue.admin
                if operation["security"] == [{"accessToken": []}]:
                    caller = venue.person(password=example["value"]["current_password"])
                elif path.endswith("/token"):
                    venue.person(**example["value"])
                order_id = broker.order("bid", "PETR4", 100, 3_200)
                key_id = broker.post("/api-keys", {"name": "Example", "scopes": ["read"]}).json["key_id"]
                target = path.removeprefix("/api/v1").replace("{symbol}", "petr4").replace("{order_id}", str(order_id))
                target = target.replace("{key_id}", str(key_id)).replace("{broker_id}", str(broker.broker_id))
                if "{trade_id}" in target:
                    target = target.replace("{trade_id}", str(traded(venue, broker)))
                if "{bust_id}" in target:
                    target = target.replace("{bust_id}", str(waiting_bust(venue, traded(venue, broker))))
                if "{user_id}" in target:
                    target = target.replace("{user_id}", str(venue.person().user_id))
                if target.endswith("/stand"):
                    venue.judge(notional_above=1_000)
                answer = caller.call(method.upper(), target, json=example["value"])
                assert answer.status_code in (200, 201, 202, 204), (name, answer.text)
                venue.admin.post("/stocks/PETR4/state", {"state": "open"})
                tried += 1
            assert bool(content) == bool(content.get("examples")), path
    assert tried > 12


def test_every_path_has_examples_of_what_it_names(venue: Venue) -> None:
    shared = [one for item in venue.description.document["paths"].values() for one in item.get("parameters", [])]
    assert {one["name"] for one in shared} == {
        *("order_id", "symbol", "broker_id", "key_id", "client_order_id", "user_id", "session_id", "delivery_id"),
        *("trade_id", "bust_id"),
    }
    for one in shared:
        assert venue.description.errors(one["schema"], one["example"]) == []


def test_limits_are_told_with_answers_and_with_refusals(database_url: str, redis_url: str) -> None:
    """The description of each answer names every header that it has; here are those that only limits bring."""
    venue = Venue(settings_for(database_url, redis_url, limits={"orders_per_second": 1, "reads_per_second": 50}))
    stock, broker = venue.list(), venue.broker()
    statuses = {broker.post("/orders", an_order("bid", stock, 1)).status_code for _ in range(5)}
    assert statuses == {201, 429}
    assert "RateLimit-Remaining" in broker.call("GET", "/orders/1").headers
    venue.close()
