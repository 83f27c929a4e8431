"""A client that was away finds out what became of its orders, what it traded meanwhile, and stops what it must."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.api.venue import Caller, Venue, an_order


@pytest.fixture
def traders(venue: Venue) -> tuple[str, Caller, Caller]:
    """A stock, who sells plenty of it, and who buys."""
    symbol = venue.list()
    seller, buyer = venue.broker(shares={symbol: 10_000}), venue.broker()
    seller.order("ask", symbol, 10_000, 3_500)
    venue.match()
    return symbol, seller, buyer


def buy(venue: Venue, buyer: Caller, symbol: str, *quantities: int) -> None:
    for quantity in quantities:
        buyer.order("bid", symbol, quantity, 3_500)
        venue.match()


def test_fills_after_the_last_one_known_come_oldest_first_and_none_is_left_out(
    venue: Venue, traders: tuple[str, Caller, Caller]
) -> None:
    symbol, _, buyer = traders
    buy(venue, buyer, symbol, 1, 2)
    known = buyer.get("/trades")["items"][0]["account_sequence"]
    buy(venue, buyer, symbol, *range(3, 10))
    found, query = [], {"after": known, "limit": 3}
    while True:
        page = buyer.get("/trades", **query)
        found += [fill["quantity"] for fill in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == [3, 4, 5, 6, 7, 8, 9]
    assert [fill["quantity"] for fill in buyer.get("/trades")["items"]] == [9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_a_fill_says_the_same_wherever_it_is_read(venue: Venue, traders: tuple[str, Caller, Caller]) -> None:
    symbol, _, buyer = traders
    buy(venue, buyer, symbol, 7)
    (fill,) = buyer.get("/trades", after=0)["items"]
    (same,) = buyer.get(f"/orders/{fill['order_id']}")["trades"]
    assert same == {name: fill[name] for name in same}
    assert fill["account_sequence"] == 2
    assert fill["executed_at"]


def test_an_order_is_found_by_the_name_that_its_broker_gave_it(
    venue: Venue, traders: tuple[str, Caller, Caller]
) -> None:
    symbol, seller, buyer = traders
    for name in ("a", "b"):
        buyer.order("bid", symbol, 1, 3_200, client_order_id=name)
    (found,) = buyer.get("/orders", client_order_id="b")["items"]
    assert found["client_order_id"] == "b"
    assert seller.get("/orders", client_order_id="b")["items"] == []
    assert buyer.get("/orders", client_order_id="c")["items"] == []


@pytest.mark.parametrize("name", ["plain", "with/slash", "with space?&#%", "ação", "a" * 64])
def test_an_order_is_cancelled_by_the_name_that_its_broker_gave_it(
    venue: Venue, traders: tuple[str, Caller, Caller], name: str
) -> None:
    symbol, seller, buyer = traders
    order_id = buyer.order("bid", symbol, 1, 3_200, client_order_id=name)
    path = f"/orders/by-client-id/{quote(name, safe='')}"
    assert (seller.delete(path).status_code, seller.delete(path).json["code"]) == (404, "unknown_order")
    with venue.matching():
        assert buyer.delete(path, Prefer="wait=5").status_code == 204
    assert buyer.get(f"/orders/{order_id}")["status"] == "cancelled"
    assert buyer.delete(path).status_code == 204


def test_several_statuses_may_be_asked_for_at_once(venue: Venue, traders: tuple[str, Caller, Caller]) -> None:
    symbol, _, buyer = traders
    filled = buyer.order("bid", symbol, 1, 3_500)
    resting = buyer.order("bid", symbol, 1, 3_200)
    stop = buyer.post("/orders", an_order("bid", symbol, 1, None, order_type="stop", stop_price=3_800)).json["order_id"]
    venue.match()
    pending = buyer.order("bid", symbol, 1, 3_200)

    def listed(*statuses: str) -> set[int]:
        answer = buyer.call("GET", "/orders", query_string=[("status", status) for status in statuses])
        assert answer.status_code == 200, answer.text
        return {order["order_id"] for order in answer.json["items"]}

    assert listed("filled") == {filled}
    assert listed("filled", "pending") == {filled, pending}
    assert listed("filled", "open") == {filled, resting}
    assert listed("open") == {resting, stop, pending}
    assert listed("untriggered", "filled") == {stop, filled}
    answer = buyer.call("GET", "/orders", query_string=[("status", "open"), ("status", "done")])
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["status"])
