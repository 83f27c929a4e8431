"""One's own events by number, page by page, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.venue import Caller, Venue


@pytest.fixture
def trader(venue: Venue) -> Caller:
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    for quantity in (1, 2, 3):
        seller.order("ask", stock, quantity, 3_500)
        buyer.order("bid", stock, quantity, 3_500, client_order_id=f"n{quantity}")
        venue.match()
    return buyer


def test_events_come_oldest_first_and_each_once(venue: Venue, trader: Caller) -> None:
    whole = trader.get("/account/events")
    assert [item["event"] for item in whole["items"]] == ["ORDER_OPENED", "ORDER_FILLED"] * 3
    assert [item["account_sequence"] for item in whole["items"]] == [1, 2, 3, 4, 5, 6]
    assert [item["payload"]["account_sequence"] for item in whole["items"]] == [1, 2, 3, 4, 5, 6]
    assert whole["next_after"] == 6
    assert whole["epoch"] == venue.nobody.get("/config")["epoch"]
    pages: list[dict[str, Any]] = []
    after = 0
    while items := (page := trader.get("/account/events", after=after, limit=4))["items"]:
        pages += items
        after = page["next_after"]
    assert pages == whole["items"]
    assert trader.get("/account/events", after=6, epoch=whole["epoch"]) == {**whole, "items": []}


def test_what_a_fill_says(trader: Caller) -> None:
    payload = trader.get("/account/events", after=1, limit=1)["items"][0]["payload"]
    assert {
        "account_sequence", "order_id", "client_order_id", "symbol", "side", "trade_id", "price", "quantity",
        "liquidity", "fee", "filled_quantity", "remaining_quantity", "status", "executed_at",
    } <= payload.keys()  # fmt: skip
    assert (payload["client_order_id"], payload["price"], payload["quantity"], payload["status"]) == (
        "n1", 3_500, 1, "filled",
    )  # fmt: skip


def test_nobody_sees_another_ones(venue: Venue, trader: Caller) -> None:
    other = venue.broker()
    assert other.get("/account/events")["items"] == []
    for caller in (venue.nobody, venue.admin, venue.person("operator")):
        assert caller.call("GET", "/account/events").status_code in (401, 403)
    assert trader.get("/account/events")["items"] != []


@pytest.mark.parametrize(("query", "detail"), [({"after": 7}, "no number 7 yet"), ({"epoch": "another"}, "epoch")])
def test_where_nobody_can_go_on_from(venue: Venue, trader: Caller, query: dict[str, Any], detail: str) -> None:
    answer = trader.call("GET", "/account/events", query_string=query)
    assert (answer.status_code, answer.json["code"]) == (410, "start_anew")
    assert detail in answer.json["detail"]
    epoch = venue.nobody.get("/config")["epoch"]
    assert {name: answer.json[name] for name in ("epoch", "oldest", "newest")} == {
        "epoch": epoch, "oldest": 1, "newest": 6,
    }  # fmt: skip


def test_the_same_of_a_tape(venue: Venue) -> None:
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    seller.order("ask", stock, 1, 3_500)
    buyer.order("bid", stock, 1, 3_500)
    venue.match()
    epoch = venue.nobody.get("/config")["epoch"]
    path = f"/stocks/{stock}/events"
    found = venue.nobody.get(path, after=0, epoch=epoch)
    assert (found["epoch"], [item["sequence"] for item in found["items"]]) == (epoch, [1])
    assert venue.nobody.get(path, after=1)["items"] == []
    for query in ({"after": 2}, {"after": 0, "epoch": "another"}):
        answer = venue.nobody.call("GET", path, query_string=query)
        assert (answer.status_code, answer.json["code"], answer.json["newest"]) == (410, "start_anew", 1)
    venue.run("UPDATE events SET sequence = 2 WHERE stock_id = (SELECT id FROM stocks WHERE symbol = :s)", s=stock)
    venue.run("UPDATE stocks SET event_sequence = 2 WHERE symbol = :s", s=stock)
    answer = venue.nobody.call("GET", path, query_string={"after": 0})  # the first one is no longer kept
    assert (answer.status_code, answer.json["oldest"]) == (410, 2)
    assert [item["sequence"] for item in venue.nobody.get(path, after=1)["items"]] == [2]
