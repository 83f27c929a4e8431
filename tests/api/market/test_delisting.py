"""Given a stock that is delisted, then it never trades again, nobody's money is tied up in it, and shares may leave."""

from __future__ import annotations

import pytest

from database.session import transaction
from services.stocks.run_schedule import ASK_ALL
from tests.api.browser import told
from tests.api.venue import Caller, Venue, an_order


@pytest.fixture
def stock(venue: Venue) -> str:
    return venue.list(reference_price=1_000)


@pytest.fixture
def holder(venue: Venue, stock: str) -> Caller:
    """Has 100 shares, 60 of them in an order, and a bid."""
    holder = venue.broker(cash=100_000, shares={stock: 100})
    holder.order("ask", stock, 60, 1_010)
    holder.order("bid", stock, 10, 990)
    venue.match()
    return holder


def delisted(venue: Venue, stock: str) -> None:
    with venue.matching():
        answer = venue.admin.call("DELETE", f"/stocks/{stock}")
    assert (answer.status_code, answer.json["state"], answer.json["state_reason"]) == (200, "delisted", "delisted")


def test_its_orders_are_cancelled_and_what_they_held_is_free(venue: Venue, stock: str, holder: Caller) -> None:
    delisted(venue, stock)
    orders = holder.get("/orders")["items"]
    assert [order["status"] for order in orders] == ["cancelled", "cancelled"]
    assert holder.get("/balance")["available"] == 100_000
    (position,) = holder.get("/portfolio")["positions"]
    assert (position["available"], position["reserved"]) == (100, 0)


def test_nothing_is_done_with_it_any_more_but_taking_shares_out(venue: Venue, stock: str, holder: Caller) -> None:
    waiting = holder.order("bid", stock, 1, 995)
    delisted(venue, stock)
    assert holder.get(f"/orders/{waiting}")["status"] == "cancelled"
    order = an_order("bid", stock, 1, price=1_000)
    assert told(holder.post("/orders", order)) == (409, "stock_delisted")
    assert told(holder.call("DELETE", f"/positions/{stock}")) == (409, "stock_delisted")
    assert holder.post("/orders/preview", order).json["refusal"]["code"] == "stock_delisted"
    with venue.matching():
        for state in ("open", "auction", "halted"):
            answer = venue.admin.post(f"/stocks/{stock}/state", {"state": state})
            assert (told(answer), answer.json["reason"]) == ((409, "state_refused"), "state_not_left")
    path = f"/brokers/{holder.broker_id}"
    shares = {"positions": {stock: {"quantity": 100}}}
    assert told(venue.admin.post(f"{path}/deposit", {"reference": "in", **shares})) == (409, "stock_delisted")
    assert venue.admin.post(f"{path}/withdraw", {"reference": "out", **shares}).status_code == 201
    assert not any(position["available"] for position in holder.get("/portfolio")["positions"])
    assert told(venue.admin.post("/register", {"name": "Late", "positions": {stock: 1}})) == (409, "stock_delisted")
    assert told(venue.admin.post("/stocks", {"symbol": stock})) == (409, "stock_exists")


def test_it_is_in_no_list_and_still_there_by_its_name(venue: Venue, stock: str, holder: Caller) -> None:
    delisted(venue, stock)
    symbols = [one["symbol"] for one in holder.get("/stocks", limit=500)["items"]]
    assert stock not in symbols
    assert [one["state"] for one in holder.get("/stocks", symbol=stock)["items"]] == ["delisted"]
    assert holder.get(f"/stocks/{stock}")["state"] == "delisted"
    assert holder.get(f"/stocks/{stock}/book")["bids"] == []
    act, *_ = venue.admin.get("/audit", action="stock.delist")["items"]
    assert act["target"] == f"stock:{stock}"


def test_no_schedule_asks_for_it(venue: Venue, stock: str, holder: Caller) -> None:
    other = venue.list()
    delisted(venue, stock)
    with transaction(venue.engine) as session:
        values = {"market": "main", "markets": ["main"], "changes": "[]"}
        asked = {row.symbol for row in session.execute(ASK_ALL, values)}
    assert other in asked
    assert stock not in asked


def test_only_an_administrator_delists(venue: Venue, stock: str, holder: Caller) -> None:
    for caller in (holder, venue.person("operator"), venue.person("clearing")):
        assert caller.call("DELETE", f"/stocks/{stock}").status_code == 403
    assert told(venue.nobody.call("DELETE", f"/stocks/{stock}")) == (401, "unauthenticated")
    assert told(venue.admin.call("DELETE", "/stocks/NONE9")) == (404, "unknown_stock")
    assert holder.get(f"/stocks/{stock}")["state"] == "open"
