"""What is no valid request: refused with every field named, and never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.venue import Caller, Venue, an_order


@pytest.fixture(scope="module")
def broker(venue: Venue) -> Caller:
    """A rich broker of one stock."""
    venue.list(symbol="STK")
    return venue.broker(cash=10**15, shares={"STK": 10**9})


def send(caller: Caller, body: bytes | str, content_type: str = "application/json") -> Any:
    """POST /orders with exactly this body."""
    return caller.call("POST", "/orders", data=body, headers={"Content-Type": content_type})


NO_WHOLE_NUMBER = [True, False, 1.0, 1.5, "1", "", None, [], {}, [1], {"a": 1}, -1, 0, 2**53, 2**63, 2**64, 10**30]
NO_INSTANT = [
    "", "now", "2099-01-01", "2099-01-01T00:00:00", "2099-13-01T00:00:00Z", "2099-02-30T00:00:00Z", 4_070_908_800, True,
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "2099-01-01T24:00:00Z",
    "2099-01-01T00:00:60Z", "2099-W01-1T00:00:00Z", "20990101T000000Z", "2099-01-01T00:00:00+24:00",
    "２０99-01-01T00:00:00Z", "2099-01-01T00:00:00.Z", "2099-01-01T00:00:00Z\n", [], {},
]  # fmt: skip
NO_PRINTABLE_TEXT = ["", "a\x00b", "\x1b[31m", "line\nbreak", "\u2028", "\ud800", "x" * 65, 1, True, [], {}]

WRONG: list[tuple[str, Any]] = [
    *(("quantity", value) for value in NO_WHOLE_NUMBER),
    *(("price", value) for value in NO_WHOLE_NUMBER),
    *(("valid_until", value) for value in NO_INSTANT),
    *(("client_order_id", value) for value in NO_PRINTABLE_TEXT),
    *(("document_number", value) for value in [*NO_PRINTABLE_TEXT, None, "x" * 21]),
    *(("symbol", value) for value in ["", "stk", "S K", "S" * 13, "STK\n", "STK\x00", "ＳＴＫ", None, 1, True, [], {}]),
    *(("side", value) for value in ["", "BID", "b", "Bid ", None, 1, True, ["bid"], {}]),
    *(("order_type", value) for value in ["", "LIMIT", "pegged", None, 1, True, [], {}]),
    *(("time_in_force", value) for value in ["", "GTC", "gtx", 1, True, [], {}]),
    *(("self_trade_prevention", value) for value in ["", "cancel", 1, True, [], {}]),
    *(("stop_price", value) for value in [1, 0, "1", True, [], {}]),
    *(("display_quantity", value) for value in [0, 101, "1", True, [], {}]),
    *(("post_only", value) for value in [0, 1, "true", [], {}]),
    *((name, 1) for name in ("broker_id", "role", "credit_limit", "status", "order_id", "__proto__", "", "\x00", "é")),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_is_refused_and_named(broker: Caller, field: str, value: Any) -> None:
    answer = send(broker, json.dumps({**an_order(), field: value}))
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request"), answer.text
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize("field", ["document_number", "side", "symbol", "quantity", "price"])
def test_a_missing_field_is_named(broker: Caller, field: str) -> None:
    body = an_order()
    del body[field]
    answer = broker.post("/orders", body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_all_fields_at_fault_are_named_at_once(broker: Caller) -> None:
    answer = broker.post("/orders", {"side": "up", "quantity": 1.5, "price": "3", "colour": "red", "post_only": 1})
    wrong = {"side", "quantity", "price", "colour", "post_only", "symbol", "document_number"}
    assert (answer.status_code, set(answer.json["errors"])) == (422, wrong)


@pytest.mark.parametrize(
    ("together", "fields"),
    [
        ({"order_type": "market", "price": 3_500}, ["price"]),
        ({"order_type": "market", "price": None, "time_in_force": "gtc"}, ["time_in_force"]),
        ({"order_type": "market", "price": None, "time_in_force": "gtd"}, ["time_in_force"]),
        ({"order_type": "market", "price": None, "valid_until": "2099-01-01T00:00:00Z"}, ["valid_until"]),
        ({"time_in_force": "gtd"}, ["valid_until"]),
        ({"time_in_force": "gtc", "valid_until": "2099-01-01T00:00:00Z"}, ["valid_until"]),
        ({"time_in_force": "ioc", "valid_until": "2099-01-01T00:00:00Z"}, ["valid_until"]),
        ({"order_type": "limit", "price": None}, ["price"]),
        ({"order_type": "stop"}, ["price", "stop_price"]),
        ({"order_type": "stop", "price": None}, ["stop_price"]),
        ({"order_type": "stop", "stop_price": 3_600}, ["price"]),
        ({"order_type": "stop_limit"}, ["stop_price"]),
        ({"order_type": "stop_limit", "price": None, "stop_price": 3_600}, ["price"]),
        ({"order_type": "market", "price": None, "stop_price": 3_600}, ["stop_price"]),
        ({"time_in_force": "day", "valid_until": "2099-01-01T00:00:00Z"}, ["valid_until"]),
        ({"time_in_force": "fok", "post_only": True}, ["post_only"]),
        ({"order_type": "market", "price": None, "post_only": True}, ["post_only"]),
        ({"order_type": "stop_limit", "stop_price": 3_600, "post_only": True}, ["post_only"]),
        ({"time_in_force": "ioc", "display_quantity": 10}, ["display_quantity"]),
        ({"order_type": "stop", "price": None, "stop_price": 3_600, "display_quantity": 10}, ["display_quantity"]),
    ],
)
def test_fields_that_do_not_go_together(broker: Caller, together: dict[str, Any], fields: list[str]) -> None:
    answer = broker.post("/orders", {**an_order(), **together})
    assert (answer.status_code, sorted(answer.json["errors"])) == (422, sorted(fields))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b"not json", 400, "not_json"),
        (b"{'side': 'bid'}", 400, "not_json"),
        (b'{"side": "bid"} x', 400, "not_json"),
        (b'\xef\xbb\xbf{"side": "bid"}', 400, "not_json"),
        (b'{"side": "\xff"}', 400, "not_json"),
        ('{"side": "bid"}'.encode("utf-16"), 400, "not_json"),
        (b'{"side": "\x01"}', 400, "not_json"),
        (b"[]", 400, "not_an_object"),
        (b"null", 400, "not_an_object"),
        (b"1", 400, "not_an_object"),
        (b'"bid"', 400, "not_an_object"),
        (b"NaN", 400, "not_an_object"),
        (b"[" * 60_000, 422, "invalid_request"),
        (b'{"a":' * 12_000, 422, "invalid_request"),
    ],
)
def test_a_body_that_is_no_json_object(broker: Caller, body: bytes, status: int, code: str) -> None:
    answer = send(broker, body)
    assert (answer.status_code, answer.json["code"]) == (status, code)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ('"side": "bid", "side": "bid"', "side"),
        ('"quantity": 1, "quantity": 1000', "quantity"),
        ('"client_order_id": "a", "client_order_id": "a"', "client_order_id"),
        ('"post_only": false, "post_only": false', "post_only"),
        ('"valid_until": "2099-01-01T00:00:00Z", "valid_until": null', "valid_until"),
        ('"quantity": NaN', "quantity"),
        ('"quantity": Infinity', "quantity"),
        ('"price": -Infinity', "price"),
        ('"quantity": 1e2', "quantity"),
        ('"quantity": 100.0', "quantity"),
        (f'"quantity": {"9" * 5_000}', "quantity"),
        ('"document_number": "\\u0000"', "document_number"),
        ('"document_number": "\\ud800"', "document_number"),
        ('"client_order_id": {"a": {"b": [1, 2, {"c": null}]}}', "client_order_id"),
    ],
)
def test_json_that_readers_disagree_about(broker: Caller, members: str, field: str) -> None:
    given = {name.strip().partition(":")[0].strip('" ') for name in members.split(', "')}
    rest = json.dumps({name: value for name, value in an_order().items() if name not in given})[1:]
    answer = send(broker, f"{{{members}, {rest}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request"), answer.text
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_another_content_type(broker: Caller, content_type: str) -> None:
    answer = send(broker, json.dumps(an_order()), content_type)
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_by_its_other_names(broker: Caller, content_type: str) -> None:
    assert send(broker, json.dumps(an_order()), content_type).status_code == 201


def test_a_body_beyond_the_limit(broker: Caller, venue: Venue) -> None:
    limit = venue.settings.web.body_limit_bytes
    padding = " " * (limit - len(json.dumps(an_order())))
    assert send(broker, json.dumps(an_order()) + padding).status_code == 201
    answer = send(broker, json.dumps(an_order()) + padding + " ")
    assert (answer.status_code, answer.json["code"], answer.json["limit"]) == (413, "body_too_large", limit)


def test_a_chunked_body(broker: Caller) -> None:
    answer = broker.call("POST", "/orders", headers={"Transfer-Encoding": "chunked"})
    assert (answer.status_code, answer.json["code"]) == (411, "length_required")


@pytest.mark.parametrize("value", [None, False])
def test_what_few_orders_have_may_be_left_empty(broker: Caller, value: Any) -> None:
    body = {**an_order(), "post_only": value, "stop_price": None, "display_quantity": None}
    assert broker.post("/orders", body).status_code == 201


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *((f"limit={value}", "limit") for value in ("0", "501", "-1", "1.5", "", "%D9%A3", "1&limit=2", "9" * 400)),
        *(
            (f"cursor={value}", "cursor")
            for value in ("", "abc", "WyJhIl0", "WzFd%00", "W3RydWVd", "Wy0xXQ", "WzFlOTld")
        ),
        ("cursor=" + "A" * 201, "cursor"),
        ("status=done", "status"),
        ("side=up", "side"),
        *((f"symbol={value}", "symbol") for value in ("petr4", "%00", "%ff")),
        *((f"from={value}", "from") for value in ("yesterday", "2026-01-01", "9999-12-31T23:59:59Z")),
        ("to=2026-01-01T00:00:00", "to"),
        ("colour=red", "colour"),
    ],
)
def test_a_wrong_query(broker: Caller, query: str, field: str) -> None:
    answer = broker.call("GET", f"/orders?{query}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize(
    "change", [{}, {"price": None}, {"quantity": 0}, {"quantity": True}, {"side": "ask"}, {"price": 1.5}]
)
def test_a_wrong_amendment(broker: Caller, change: dict[str, Any]) -> None:
    answer = broker.put(f"/orders/{broker.order('bid', 'STK', 1, 3_500)}", change)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert set(answer.json["errors"]) == (set(change) or {"price", "quantity", "valid_until"})


@pytest.mark.parametrize(
    "path",
    [
        *(f"/orders/{one}" for one in (0, 2**63 - 1, 2**63, -1, 1.5, "%00", "%D9%A3", "9" * 400)),
        *(f"/stocks/{one}" for one in ("%00", "petr4", "%F0%9F%92%A9", "NOSUCH", "NOSUCH/book/1", "%ff", "A" * 13)),
    ],
)
def test_a_path_to_nothing(broker: Caller, path: str) -> None:
    answer = broker.call("GET", path)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
