"""Where one's orders stand, what they have reserved, and why they have ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.venue import Caller, Venue


def place_of(order: dict[str, Any]) -> tuple[int | None, int | None, int | None]:
    return order["place"], order["orders_at_price"], order["quantity_ahead"]


def listed(caller: Caller, **query: Any) -> dict[int, dict[str, Any]]:
    return {order["order_id"]: order for order in caller.get("/orders", place="true", **query)["items"]}


def test_all_own_orders_say_where_they_stand_in_one_answer(venue: Venue) -> None:
    stock, other_stock = venue.list(), venue.list()
    one, other = venue.broker(shares={stock: 100}), venue.broker(shares={stock: 100})
    first = other.order("bid", stock, 10, 3_400)
    second = one.order("bid", stock, 20, 3_400)
    iceberg = other.order("bid", stock, 50, 3_400, display_quantity=5)
    third = one.order("bid", stock, 30, 3_400)
    alone = one.order("bid", other_stock, 1, 3_400)
    stop = one.order("bid", stock, 1, None, order_type="stop", stop_price=3_600)
    venue.match()
    pending = one.order("bid", stock, 1, 3_300)
    found = listed(one, status="open")
    assert place_of(found[second]) == (2, 4, 10)
    assert place_of(found[third]) == (4, 4, 35)
    assert place_of(found[alone]) == (1, 1, 0)
    assert place_of(found[stop]) == place_of(found[pending]) == (None, None, None)
    for order_id in (second, third):
        entry = one.get(f"/stocks/{stock}/book/{order_id}")
        assert (entry["place"], entry["quantity_ahead"]) == place_of(found[order_id])[::2]
    with venue.matching():
        other.delete(f"/orders/{first}")
    assert place_of(listed(one)[second]) == (1, 3, 0)
    assert "place" not in one.get("/orders")["items"][0]
    assert place_of(listed(other)[iceberg]) == (2, 3, 20)


def test_places_are_asked_for_by_true_or_false(venue: Venue) -> None:
    answer = venue.broker().call("GET", "/orders", query_string={"place": "1"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["place"])


@pytest.mark.parametrize("bps", [0, 25])
def test_an_order_says_what_it_has_reserved(venue: Venue, bps: int) -> None:
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    venue.admin.put(f"/brokers/{buyer.broker_id}/fees", {"maker_bps": bps, "taker_bps": bps})
    bid = buyer.order("bid", stock, 30, 3_400)
    stop = buyer.order("bid", stock, 10, None, order_type="stop", stop_price=3_600)
    ask = seller.order("ask", stock, 40, 3_450)
    venue.match()
    seller.order("ask", stock, 13, 3_400)
    venue.match()
    reserved = [buyer.get(f"/orders/{order_id}")["reserved"] for order_id in (bid, stop)]
    assert [one["asset"] for one in reserved] == ["cash", "cash"]
    assert sum(one["amount"] for one in reserved) == buyer.get("/balance")["reserved"]
    assert reserved[0]["amount"] >= 17 * 3_400
    assert seller.get(f"/orders/{ask}")["reserved"] == {"asset": stock, "amount": 40}
    with venue.matching():
        buyer.delete("/orders")
    for order_id in (bid, stop):
        order = buyer.get(f"/orders/{order_id}")
        assert (order["reserved"]["amount"], order["reason"], order["reject_code"]) == (0, "requested", None)
        assert order["busted_quantity"] == 0


def test_fills_are_found_by_stock_side_and_time(venue: Venue) -> None:
    stocks = [venue.list(), venue.list()]
    seller, buyer = venue.broker(shares=dict.fromkeys(stocks, 100)), venue.broker(shares=dict.fromkeys(stocks, 100))
    for stock in stocks:
        for price in (3_500, 3_510):
            seller.order("ask", stock, 1, price)
            buyer.order("bid", stock, 1, price)
        buyer.order("ask", stock, 1, 3_520)
        seller.order("bid", stock, 1, 3_520)
    venue.match()
    fills = buyer.get("/trades")["items"]
    assert len(fills) == 6
    assert len(buyer.get("/trades", symbol=stocks[0].lower())["items"]) == 3
    assert len(buyer.get("/trades", side="ask")["items"]) == 2
    assert len(buyer.get("/trades", side="buy", symbol=stocks[1])["items"]) == 2
    middle = sorted(fill["executed_at"] for fill in fills)[3]
    later = buyer.get("/trades", **{"from": middle})["items"]
    earlier = buyer.get("/trades", to=middle)["items"]
    assert len(later) + len(earlier) == 6
    assert all(fill["executed_at"] >= middle for fill in later)
    assert buyer.get("/trades", after=0, side="ask")["items"] == buyer.get("/trades", side="ask")["items"][::-1]
