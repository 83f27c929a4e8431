"""An order that was filled often: its answer has the newest fills and says that there are more, /trades has all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.venue import Caller, Venue, an_order

FILLS = 120


@pytest.fixture(scope="module")
def filled(venue: Venue) -> tuple[Caller, Caller, int, str]:
    """A seller whose one order FILLS buyers' orders have taken from; the buyer; the order; its stock."""
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 10_001}), venue.broker()
    order_id = seller.order("ask", stock, 10_000, 3_500)
    other = seller.order("ask", stock, 1, 3_400)
    bids = [an_order("bid", stock, 1 + n, 3_500) for n in range(FILLS)]
    venue.match()
    buyer.post("/orders/batch", {"orders": [an_order("bid", stock, 1, 3_400), *bids]})
    venue.match()
    assert seller.get(f"/orders/{other}")["status"] == "filled"
    return seller, buyer, order_id, stock


def all_of(caller: Caller, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = caller.get("/trades", **query)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def test_an_order_shows_its_newest_hundred_fills_oldest_first(filled: tuple[Caller, Caller, int, str]) -> None:
    seller, _, order_id, _ = filled
    order = seller.get(f"/orders/{order_id}")
    assert [fill["quantity"] for fill in order["trades"]] == list(range(FILLS - 99, FILLS + 1))
    assert order["more_trades"] is True
    assert order["filled_quantity"] == sum(range(FILLS + 1))


def test_with_a_hundred_fills_there_are_no_more(venue: Venue) -> None:
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    order_id = seller.order("ask", stock, 100, 3_500)
    buyer.post("/orders/batch", {"orders": [an_order("bid", stock, 1, 3_500)] * 100})
    venue.match()
    order = seller.get(f"/orders/{order_id}")
    assert (len(order["trades"]), order["more_trades"]) == (100, False)
    never = seller.get(f"/orders/{seller.order('bid', stock, 1, 3_300)}")
    assert (never["trades"], never["more_trades"]) == ([], False)


def test_all_fills_of_an_order_come_page_by_page(filled: tuple[Caller, Caller, int, str]) -> None:
    seller, buyer, order_id, _ = filled
    newest = all_of(seller, order_id=order_id, limit=50)
    assert [fill["quantity"] for fill in newest] == list(range(FILLS, 0, -1))
    assert {fill["order_id"] for fill in newest} == {order_id}
    assert all_of(seller, order_id=order_id, limit=50, after=0) == newest[::-1]
    known = newest[10]["account_sequence"]
    assert all_of(seller, order_id=order_id, after=known) == newest[:10][::-1]
    assert len(all_of(seller)) == FILLS + 1
    assert all_of(buyer, order_id=order_id) == []


@pytest.mark.parametrize("order_id", ["0", "-1", "x", str(2**63)])
def test_what_is_no_order_id(filled: tuple[Caller, Caller, int, str], order_id: str) -> None:
    seller, _, _, _ = filled
    answer = seller.call("GET", "/trades", query_string={"order_id": order_id})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["order_id"])


@pytest.mark.parametrize(("limit", "fills"), [(1, 100), (50, 100), (100, 50), (500, 10)])
def test_a_longer_list_shows_fewer_fills_of_each_order(
    filled: tuple[Caller, Caller, int, str], limit: int, fills: int
) -> None:
    seller, _, order_id, stock = filled
    found = seller.get("/orders", limit=limit, symbol=stock, status="partially_filled")
    (order,) = [one for one in found["items"] if one["order_id"] == order_id]
    assert [fill["quantity"] for fill in order["trades"]] == list(range(FILLS - fills + 1, FILLS + 1))
    assert order["more_trades"] is True
