"""What is no valid request: refused with every field named, and never a 500."""

from __future__ import annotations

import json
import re
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
    *(("symbol", value) for value in ["", "S K", "S" * 13, "STK\n", "STK\x00", "ＳＴＫ", None, 1, True, [], {}]),
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
        *((f"symbol={value}", "symbol") for value in ("", ".", "..", "-A", "a b", "%00", "%ff", "A" * 13)),
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
    assert set(answer.json["errors"]) == (set(change) or {"price", "quantity", "valid_until", "stop_price"})


NO_SYMBOL = ("%00", "%F0%9F%92%A9", "%ff", "A" * 13, ".", "..", "-A", "ı", "%0A", "STK%0A")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        *((f"/orders/{one}", "unknown_order") for one in (0, 2**63 - 1, 2**63, "9" * 400)),
        *((f"/orders/{one}", "not_found") for one in (-1, 1.5, "%00", "%D9%A3", "x")),
        *(
            (f"/stocks/{one}{more}", "unknown_stock")
            for one in (*NO_SYMBOL, "NOSUCH", "nosuch")
            for more in ("", "/book", "/price", "/trades", "/events")
        ),
        *((f"/stocks/{one}/book/1", "unknown_stock") for one in (*NO_SYMBOL, "NOSUCH", "nosuch")),
        (f"/stocks/STK/book/{2**63}", "unknown_order"),
        *((f"/stocks/STK/book/{one}", "unknown_order") for one in (0, 2**62, f"00{2**62}")),
        *((f"/stocks/{symbol}/book/{one}", "not_found") for symbol in ("STK", "NOSUCH") for one in (-1, "x", "1/1")),
        *((f"{path}/1", "not_found") for path in ("", "/nothing", "/trades", "/stocks/NOSUCH", "/stocks/STK/trades")),
        *((f"/stocks/{symbol}/nothing/1", "not_found") for symbol in ("STK", "NOSUCH", "..")),
        *((f"/orders/1/{more}", "not_found") for more in ("1", "fills", "cancel/1")),
    ],
)
def test_a_path_to_nothing(broker: Caller, path: str, code: str) -> None:
    answer = broker.call("GET", path)
    assert (answer.status_code, answer.json["code"]) == (404, code)


HALF = '"\\ud800"'
"""Half of a character, as JSON can spell it."""


@pytest.mark.parametrize(
    "body",
    [
        f"{{{HALF}: 1}}",
        f'{{"orders": [{{{HALF}: 1}}]}}',
        f'{{"orders": [], {HALF}: 1}}',
        f'{{"positions": {{{HALF}: 1}}}}',
        f'{{"name": {{"a": [{{{HALF}: 1}}]}}}}',
        f"{{{HALF}: 1, {HALF}: 2}}",
        '{"\\udfff\\ud800": 1}',
        '{"é\\ud83d": 1}',
    ],
)
def test_half_of_a_character_in_a_name_is_422_everywhere(venue: Venue, broker: Caller, body: str) -> None:
    json_header, order_id = {"Content-Type": "application/json"}, broker.order("bid", "STK", 1, 3_500)
    for rule in venue.app.url_map.iter_rules():
        for method in {"POST", "PUT"} & rule.methods:
            path = rule.rule.removeprefix("/api/v1").replace("<symbol:symbol>", "STK")
            path = path.replace("<order_id:order_id>", str(order_id))
            for caller in (broker, venue.admin):
                answer = caller.call(method, re.sub(r"<\w+:\w+>", "1", path), data=body.encode(), headers=json_header)
                nobodys = answer.status_code == 404 and "_id>" in path  # what is not there is said before
                assert nobodys or answer.status_code in (403, 422), rule


@pytest.mark.parametrize(
    "query", ["%ED%A0%80=1", "%00=1", "\udcff=1", "cursor=WyJcdWQ4MDAiXQ", "cursor=" + "W1tb" * 50, "a[b]=1", "=1"]
)
def test_odd_names_in_a_query_are_422_everywhere(venue: Venue, broker: Caller, query: str) -> None:
    for path in ("/orders", "/trades", "/stocks", "/stocks/STK/events", "/balance", "/orders/1"):
        answer = broker.call("GET", f"{path}?{query}".encode("utf-8", "surrogatepass").decode("latin-1"))
        assert answer.status_code == 422, path
        assert answer.json["errors"], path


AT_AN_END = "Must not begin or end with a blank."
UNPRINTABLE = "Must have printable characters only."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((blank, "Must have more than blanks.") for blank in (" ", "   ")),
        *((text, AT_AN_END) for text in (" 1", "1 ", " 1 ", "  1")),
        *((text, UNPRINTABLE) for text in ("1\n", "\t1", "1\x00", "1\x7f", "\u200b1", "1\u00a0", "1\u2028", "\u202e1")),
    ],
)
def test_two_texts_that_read_alike_are_not_two(venue: Venue, broker: Caller, text: str, said: str) -> None:
    """Self-trade prevention goes by the document: " 1" and "1" would be two customers."""
    for name in ("document_number", "client_order_id"):
        answer = broker.post("/orders", an_order(**{name: text}))
        assert (answer.status_code, answer.json["errors"]) == (422, {name: [said]})
    assert venue.admin.post("/register", {"name": text}).json["errors"] == {"name": [said]}
    for name in ("name", "group", "market"):
        assert venue.admin.post("/stocks", {"symbol": "BLANK", name: text}).json["errors"] == {name: [said]}
    assert venue.admin.post("/stocks/STK/state", {"state": "open", "reason": text}).json["errors"] == {"reason": [said]}


def test_blanks_within_a_text_stay(broker: Caller) -> None:
    order = an_order(document_number="a  b", client_order_id="day 1 / 7")
    order_id = broker.post("/orders", order).json["order_id"]
    assert broker.get(f"/orders/{order_id}")["document_number"] == "a  b"


class TestSymbolsInAnyCase:
    """Wherever a symbol is written; answers have it in capitals."""

    def test_in_bodies_and_queries(self, venue: Venue, broker: Caller) -> None:
        order = an_order(symbol="stk", client_order_id="any case")
        first, again = broker.post("/orders", order), broker.post("/orders", {**order, "symbol": "Stk"})
        assert (first.status_code, again.status_code) == (201, 200)
        assert broker.get(f"/orders/{first.json['order_id']}")["symbol"] == "STK"
        assert broker.get("/orders", symbol="sTk")["items"][0]["symbol"] == "STK"
        assert broker.post("/orders/batch", {"orders": [an_order(symbol="stk")]}).json["results"][0]["status"] == 201
        with venue.matching():
            assert broker.call("DELETE", "/orders?symbol=stk").json["cancelled"] >= 2

    def test_in_paths(self, venue: Venue, broker: Caller) -> None:
        for path in ("", "/book", "/price"):
            assert broker.get(f"/stocks/stk{path}")["symbol"] == "STK"
        for path in ("/trades", "/events"):
            assert broker.get(f"/stocks/sTK{path}")["items"] is not None
        with venue.matching():
            assert venue.admin.post("/stocks/stk/state", {"state": "open"}).json["symbol"] == "STK"

    def test_in_a_new_stock_and_in_what_a_broker_brings(self, venue: Venue) -> None:
        answer = venue.admin.post("/stocks", {"symbol": "lower.3", "reference_price": 100})
        assert (answer.json["symbol"], answer.headers["Location"]) == ("LOWER.3", "/api/v1/stocks/LOWER.3")
        assert venue.admin.post("/stocks", {"symbol": "LOWER.3"}).json["code"] == "stock_exists"
        brought = venue.broker(shares={"lower.3": 7}).get("/portfolio")["positions"]
        assert [(one["symbol"], one["available"]) for one in brought] == [("LOWER.3", 7)]

    def test_twice_in_two_cases_is_twice(self, venue: Venue) -> None:
        answer = venue.admin.post("/register", {"name": "Twice", "positions": {"STK": 1, "stk": 2}})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["positions"])

    @pytest.mark.parametrize("symbol", [".", "..", "-", ".A", "-A", "A B", "Ä", "ı", "", "A" * 13, "STK\n", 1, None])
    def test_what_is_no_symbol_cannot_be_listed(self, venue: Venue, symbol: Any) -> None:
        answer = venue.admin.post("/stocks", {"symbol": symbol})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["symbol"])


def trade_of(venue: Venue, buyer: Caller) -> int:
    """A trade in which it bought."""
    stock = venue.list()
    venue.broker(shares={stock: 1}).order("ask", stock, 1, 3_500)
    buyer.order("bid", stock, 1, 3_500)
    venue.match()
    trade_id: int = buyer.get("/trades", symbol=stock)["items"][0]["trade_id"]
    return trade_id


class TestNothingIsPassedOverInSilence:
    """What an operation does not read is refused, before anything is done."""

    def test_a_body_that_nobody_asked_for(self, venue: Venue, broker: Caller) -> None:
        order_id, person = broker.order("bid", "STK", 1, 3_500), venue.person()
        takes_body = {
            (path, method)
            for path, item in described(venue)["paths"].items()
            for method, operation in item.items()
            if "requestBody" in operation
        }
        asked = 0
        broker.put("/webhook", {"url": "https://receiver.example/"})
        ids = {
            "{delivery_id}": broker.post("/webhook/test").json["delivery_id"],
            "{key_id}": broker.post("/api-keys", {"name": "One", "scopes": ["read"]}).json["key_id"],
            "{session_id}": person.get("/sessions")["items"][0]["session_id"],
            "{trade_id}": trade_of(venue, broker),
        }
        for path, item in described(venue)["paths"].items():
            for method in item.keys() - {"parameters"}:
                if (path, method) in takes_body or path.endswith(("/token/refresh", "/logout")):
                    continue
                answers = [
                    venue.app.test_client().open(
                        re.sub(
                            r"{\w+_id}", lambda name: str(ids.get(name[0], order_id)), path.replace("{symbol}", "STK")
                        ),
                        method=method.upper(),
                        headers={"Authorization": f"Bearer {caller.key}"},
                        json={"symbol": "OTHER"},
                    )
                    for caller in (broker, venue.admin, person)
                ]
                assert "body_not_expected" in [answer.json["code"] for answer in answers], (method, path)
                assert {answer.status_code for answer in answers} <= {403, 404, 422}  # 404: another broker's delivery
                asked += 1
        assert asked > 20
        assert broker.get(f"/orders/{order_id}")["status"] != "cancelled"

    @pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/docs", "/docs/errors", "/docs/start.js"])
    def test_nor_do_the_pages_take_one(self, venue: Venue, path: str) -> None:
        assert venue.app.test_client().get(path, json={}).json["code"] == "body_not_expected"

    def test_an_empty_body_is_none(self, venue: Venue, broker: Caller) -> None:
        with venue.matching():
            for headers in ({}, {"Content-Length": "0"}, {"Content-Length": "0", "Content-Type": "application/json"}):
                assert broker.call("DELETE", "/orders?side=ask", headers=headers).status_code == 200

    def test_a_query_that_nobody_asked_for(self, venue: Venue, broker: Caller) -> None:
        for method, path in (("POST", "/orders"), ("GET", "/balance"), ("GET", "/stocks/STK"), ("GET", "/orders/1")):
            body = {"json": an_order()} if method == "POST" else {}
            answer = broker.call(method, f"{path}?dry_run=true", **body)
            assert (answer.status_code, answer.json["errors"]) == (422, {"dry_run": ["Unknown field."]})
        assert venue.app.test_client().get("/health?at=1").status_code == 200


def described(venue: Venue) -> Any:
    """The OpenAPI document."""
    return venue.app.test_client().get("/api/v1/openapi.json").json


def test_every_parameter_that_is_read_is_described(venue: Venue) -> None:
    operation = described(venue)["paths"]["/api/v1/orders"]["delete"]
    assert {one["name"] for one in operation["parameters"]} == {"symbol", "side", "Prefer"}
