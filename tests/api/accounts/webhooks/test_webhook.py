"""A broker's own hook: set, looked at, signed anew and deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from services.timestamps import timestamp
from tests.api.venue import Caller, Venue, an_order

URL = "https://receiver.example/minex"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
NONE = {
    "url": None, "events": [], "enabled": False, "state": "off", "waiting": 0, "blocked_by": None,
    "failing_since": None, "last_success_at": None,
}  # fmt: skip


def put(caller: Caller, url: str = URL, **wanted: Any) -> dict[str, Any]:
    """Set the hook, which must be taken; the answer."""
    answer = caller.put("/webhook", {"url": url, **wanted})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_hook_is_set_and_its_secret_shown_once(venue: Venue) -> None:
    broker = venue.broker()
    assert broker.get("/webhook") == NONE
    made = put(broker)
    assert SECRET.fullmatch(made["secret"])
    all_events = ["trade_executed", "trade_busted", "trade_adjusted"]
    assert made | {"secret": None} == {
        **NONE, "url": URL, "events": all_events, "enabled": True, "state": "well", "secret": None,
    }  # fmt: skip
    found = broker.call("GET", "/webhook")
    assert "secret" not in found.json
    assert made["secret"] not in found.text
    changed = put(broker, f"{URL}2", events=["trade_busted"])
    assert (changed["secret"], changed["url"], changed["events"]) == (None, f"{URL}2", ["trade_busted"])
    assert put(broker, enabled=False)["state"] == "off"
    assert venue.scalar("SELECT secret FROM webhooks WHERE broker_id = :id", id=broker.broker_id) == made["secret"]


def test_after_it_is_deleted_the_next_one_has_a_secret_of_its_own(venue: Venue) -> None:
    broker = venue.broker()
    first = put(broker)["secret"]
    assert broker.delete("/webhook").status_code == 204
    assert broker.delete("/webhook").status_code == 204
    assert broker.get("/webhook")["url"] is None
    assert broker.post("/webhook/rotate-secret", {}).json["code"] == "no_webhook"
    assert broker.post("/webhook/test").json["code"] == "no_webhook"
    assert put(broker)["secret"] not in (None, first)


def test_a_secret_is_replaced(venue: Venue) -> None:
    broker = venue.broker()
    first = put(broker)["secret"]
    second = broker.post("/webhook/rotate-secret", {"overlap_seconds": 60})
    assert second.status_code == 200
    assert SECRET.fullmatch(second.json["secret"])
    row = "SELECT secret || ' ' || coalesce(previous_secret, '-') FROM webhooks WHERE broker_id = :id"
    assert venue.scalar(row, id=broker.broker_id) == f"{second.json['secret']} {first}"
    third = broker.post("/webhook/rotate-secret", {}).json["secret"]
    assert venue.scalar(row, id=broker.broker_id) == f"{third} -"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"), ({"url": None}, "url"), ({"url": ""}, "url"), ({"url": "ftp://a"}, "url"), ({"url": 1}, "url"),
        ({"url": "https://u:p@a.example/"}, "url"), ({"url": "https://" + "a" * 2_048}, "url"),
        ({"url": "http://127.0.0.1/"}, "url"), ({"url": "http://localhost:8000/api/v1/orders"}, "url"),
        ({"url": "http://[::1]/"}, "url"), ({"url": "http://2130706433/"}, "url"), ({"url": "http://10.0.0.1/"}, "url"),
        ({"url": URL, "events": []}, "events"), ({"url": URL, "events": ["x"]}, "events.0"),
        ({"url": URL, "events": ["trade_busted"] * 2}, "events"), ({"url": URL, "events": "trade_busted"}, "events"),
        ({"url": URL, "enabled": "yes"}, "enabled"), ({"url": URL, "secret": "x"}, "secret"),
        ({"url": URL, "broker_id": 1}, "broker_id"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_changes_nothing(venue: Venue, body: dict[str, Any], field: str) -> None:
    broker = venue.broker()
    answer = broker.put("/webhook", body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
    assert broker.get("/webhook") == NONE


WRITES: tuple[Callable[[Caller], Any], ...] = (
    lambda caller: caller.put("/webhook", {"url": URL}),
    lambda caller: caller.delete("/webhook"),
    lambda caller: caller.post("/webhook/rotate-secret", {}),
    lambda caller: caller.post("/webhook/test"),
)


@pytest.mark.parametrize("write", WRITES)
def test_people_write_and_keys_with_all_three_scopes(venue: Venue, write: Callable[[Caller], Any]) -> None:
    broker = venue.broker()
    put(broker)
    assert write(venue.person(broker=broker)).status_code in (200, 202, 204)
    put(broker)
    body = {"name": "Bot", "scopes": ["read", "trade"]}
    bot = Caller(venue, broker.post("/api-keys", body).json["api_key"], broker.broker_id)
    refused = write(bot)
    assert (refused.status_code, refused.json["code"]) == (403, "scope_missing")
    assert bot.get("/webhook")["url"] == URL
    assert write(venue.nobody).status_code == 401
    assert write(venue.admin).json["code"] == "broker_only"


def test_each_broker_has_its_own(venue: Venue) -> None:
    one, other = venue.broker(), venue.broker()
    put(one)
    assert other.get("/webhook") == NONE
    put(other, "https://other.example/")
    assert one.get("/webhook")["url"] == URL


def test_every_act_is_in_the_audit_log_without_the_secret(venue: Venue) -> None:
    broker = venue.broker()
    secrets = [put(broker)["secret"], broker.post("/webhook/rotate-secret", {}).json["secret"]]
    broker.delete("/webhook")
    found = venue.admin.call("GET", "/audit?limit=3")
    assert [item["action"] for item in found.json["items"]] == [
        "webhook.delete", "webhook.rotate_secret", "webhook.set",
    ]  # fmt: skip
    assert not any(secret in found.text for secret in secrets)


def test_a_suspended_broker_looks_and_changes_nothing_but_can_stop_it(venue: Venue) -> None:
    broker = venue.broker()
    put(broker)
    venue.admin.post(f"/brokers/{broker.broker_id}/suspend")
    assert broker.put("/webhook", {"url": URL}).json["code"] == "broker_suspended"
    assert broker.get("/webhook")["url"] == URL
    assert broker.delete("/webhook").status_code == 204


def test_what_was_to_be_told_is_listed_and_paused_while_it_is_off(venue: Venue) -> None:
    symbol = venue.list()
    seller, buyer = venue.broker(shares={symbol: 100}), venue.broker()
    put(buyer)
    seller.post("/orders", an_order("ask", symbol, 10, 3_500))
    order = buyer.post("/orders", an_order("bid", symbol, 4, 3_500, client_order_id="mine")).json["order_id"]
    buyer.post("/orders", an_order("bid", symbol, 5, 3_500))
    venue.match()
    second, first = buyer.get("/webhook/deliveries")["items"]
    fill = buyer.get("/trades")["items"][-1]
    assert first | {"delivery_id": 0, "created_at": ""} == {
        "delivery_id": 0, "event": "trade_executed", "sequence": 1, "status": "pending", "attempts": [],
        "next_attempt_at": None, "created_at": "",
        "payload": {
            "event": "trade_executed", "sequence": 1, "account_sequence": fill["account_sequence"],
            "trade_id": fill["trade_id"], "order_id": order, "client_order_id": "mine", "symbol": symbol, "side": "bid",
            "price": 3_500, "quantity": 4, "filled_quantity": 4, "order_remaining_quantity": 0, "liquidity": "taker",
            "fee": 0, "executed_at": fill["executed_at"],
        },
    }  # fmt: skip
    assert second["sequence"] == 2
    assert buyer.get("/webhook")["waiting"] == 2
    assert buyer.get(f"/webhook/deliveries/{first['delivery_id']}") == first
    put(buyer, enabled=False)
    assert [one["status"] for one in buyer.get("/webhook/deliveries")["items"]] == ["paused", "paused"]
    assert len(buyer.get("/webhook/deliveries", status="paused")["items"]) == 2
    assert buyer.get("/webhook/deliveries", status="pending")["items"] == []
    assert seller.get("/webhook/deliveries")["items"] == []
    for path in ("", "/retry"):
        method = "POST" if path else "GET"
        refused = seller.call(method, f"/webhook/deliveries/{first['delivery_id']}{path}")
        assert (refused.status_code, refused.json["code"]) == (404, "unknown_delivery")


def test_deliveries_come_in_pages(venue: Venue) -> None:
    broker = venue.broker()
    put(broker)
    tests = [broker.post("/webhook/test").json["delivery_id"] for _ in range(5)]
    seen: list[int] = []
    cursor: str | None = None
    while not seen or cursor:
        found = broker.get("/webhook/deliveries", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [item["delivery_id"] for item in found["items"]]
        cursor = found["next_cursor"]
    assert seen == tests[::-1]
    one = broker.get("/webhook/deliveries", limit=1)["items"][0]
    assert (one["event"], one["sequence"], one["status"]) == ("test", None, "pending")
    assert one["payload"] == {
        "event": "test", "delivery_id": tests[-1], "created_at": one["created_at"],
    }  # fmt: skip
    assert broker.post(f"/webhook/deliveries/{tests[0]}/retry").json["code"] == "unknown_delivery"
    assert broker.call("GET", "/webhook/deliveries?status=lost").status_code == 422


def test_one_is_sent_again(venue: Venue) -> None:
    symbol = venue.list()
    seller, buyer = venue.broker(shares={symbol: 100}), venue.broker()
    put(buyer)
    seller.post("/orders", an_order("ask", symbol, 10, 3_500))
    buyer.post("/orders", an_order("bid", symbol, 4, 3_500))
    venue.match()
    (one,) = buyer.get("/webhook/deliveries")["items"]
    venue.run("UPDATE webhook_deliveries SET status = 'failed' WHERE id = :id", id=one["delivery_id"])
    again = buyer.post(f"/webhook/deliveries/{one['delivery_id']}/retry")
    assert (again.status_code, again.json["status"]) == (202, "set_aside")
    moment = venue.scalar("SELECT next_attempt_at FROM webhook_deliveries WHERE id = :id", id=one["delivery_id"])
    assert again.json["next_attempt_at"] == timestamp(moment)


def test_the_exchange_says_that_there_are_webhooks(venue: Venue) -> None:
    assert "webhooks" in venue.nobody.get("/config")["features"]
