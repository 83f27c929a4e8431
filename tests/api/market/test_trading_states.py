"""Operators halt, gather, open and close; what follows is told over REST, and orders get clear refusals."""

from __future__ import annotations

import pytest

from tests.api.venue import Venue, an_order


def test_an_operator_halts_a_stock_and_everybody_sees_why(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    with venue.matching():
        broker.order("bid", stock, 1, 3_400)
        answer = venue.admin.post(f"/stocks/{stock}/state", {"state": "halted", "reason": "news pending"})
    assert (answer.status_code, answer.json["state"], answer.json["state_reason"]) == (200, "halted", "news pending")
    shown = broker.get(f"/stocks/{stock}")
    assert (shown["state"], shown["state_since"]) == ("halted", answer.json["state_since"])
    (event,) = broker.get(f"/stocks/{stock}/events")["items"]
    assert (event["event"], event["payload"]["state"], event["payload"]["reason"]) == (
        "STOCK_STATE", "halted", "news pending",
    )  # fmt: skip
    refused = broker.post("/orders", an_order("bid", stock))
    assert (refused.status_code, refused.json["code"], refused.json["state"]) == (409, "stock_halted", "halted")


def test_orders_gather_an_indicative_price_is_shown_and_the_opening_trades_at_it(venue: Venue) -> None:
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    with venue.matching():
        assert venue.admin.post(f"/stocks/{stock}/state", {"state": "auction"}).json["indicative"] == {
            "price": None, "volume": 0, "surplus": 0, "surplus_side": None,
        }  # fmt: skip
        seller.order("ask", stock, 100, 3_400)
        order = buyer.order("bid", stock, 60, 3_600)
    venue.match()
    assert buyer.get(f"/stocks/{stock}")["indicative"] == {
        "price": 3_400, "volume": 60, "surplus": -40, "surplus_side": "ask",
    }  # fmt: skip
    with venue.matching():
        opened = venue.admin.post(f"/stocks/{stock}/state", {"state": "open"})
    assert (opened.json["state"], opened.json["indicative"], opened.json["reference_price"]) == ("open", None, 3_400)
    assert buyer.get(f"/orders/{order}")["average_price"] == 3_400


def test_an_uncross_leaves_the_state_and_is_refused_where_nothing_gathers(venue: Venue) -> None:
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    with venue.matching():
        refused = venue.admin.post(f"/stocks/{stock}/uncross")
        venue.admin.post(f"/stocks/{stock}/state", {"state": "pre_open"})
        seller.order("ask", stock, 10, 3_400)
        buyer.order("bid", stock, 10, 3_400)
        done = venue.admin.post(f"/stocks/{stock}/uncross")
    assert (refused.status_code, refused.json["code"], refused.json["reason"]) == (409, "state_refused", "no_auction")
    assert (done.status_code, done.json["state"], done.json["last_price"]) == (200, "pre_open", 3_400)


def test_a_roll_ends_the_day_and_trading_goes_on(venue: Venue) -> None:
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    seller.order("ask", stock, 10, 3_600)
    buyer.order("bid", stock, 10, 3_600)
    day = buyer.order("bid", stock, 10, 3_400, time_in_force="day")
    with venue.matching():
        rolled = venue.admin.post(f"/stocks/{stock}/roll")
    assert (rolled.status_code, rolled.json["state"], rolled.json["reference_price"]) == (200, "open", 3_600)
    assert buyer.get(f"/orders/{day}")["status"] == "expired"


def test_while_no_worker_runs_a_change_is_queued(venue: Venue) -> None:
    stock = venue.list()
    answer = venue.admin.post(f"/stocks/{stock}/state", {"state": "closed"}, Prefer="respond-async")
    assert (answer.status_code, answer.json["state"]) == (202, "open")
    assert answer.headers["Preference-Applied"] == "respond-async"
    venue.match()
    assert venue.admin.get(f"/stocks/{stock}")["state"] == "closed"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "state"),
        ({"state": "asleep"}, "state"),
        ({"state": None}, "state"),
        ({"state": "open", "reason": "x" * 201}, "reason"),
        ({"state": "auction", "reason": "volatility"}, "reason"),
        ({"state": "open", "until": 1}, "until"),
    ],
)
def test_a_change_that_is_none(venue: Venue, body: dict[str, object], field: str) -> None:
    answer = venue.admin.post(f"/stocks/{venue.list()}/state", body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_an_unknown_stock_has_no_state(venue: Venue) -> None:
    answer = venue.admin.post("/stocks/NOSUCH/state", {"state": "halted"})
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_stock")


def test_a_trade_outside_the_dynamic_band_calls_an_auction_whose_end_is_told(venue: Venue) -> None:
    stock = venue.list(dynamic_band=100)
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    seller.order("ask", stock, 10, 3_600)
    buyer.order("bid", stock, 10, 3_600)
    venue.match()
    shown = buyer.get(f"/stocks/{stock}")
    assert (shown["state"], shown["state_reason"]) == ("auction", "volatility")
    assert shown["auction_ends_at"] > shown["state_since"]
    assert (shown["set_by"], shown["until"], shown["next_state"]) == ("volatility", shown["auction_ends_at"], "open")


def test_what_cannot_wait_for_an_auction_is_refused(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    with venue.matching():
        venue.admin.post(f"/stocks/{stock}/state", {"state": "auction"})
    for fields in ({"time_in_force": "ioc"}, {"time_in_force": "fok"}, {"post_only": True}):
        answer = broker.post("/orders", an_order("bid", stock, **fields))
        assert (answer.status_code, answer.json["code"]) == (409, "not_in_auction")
    market = broker.post("/orders", an_order("bid", stock, 10, None, order_type="market"))
    assert market.status_code == 201
    venue.match()
    assert broker.get(f"/orders/{market.json['order_id']}")["status"] == "open"


def test_a_stock_of_no_market(venue: Venue) -> None:
    answer = venue.admin.post("/stocks", {"symbol": "NOMARKET", "market": "moon"})
    assert (answer.status_code, answer.json["errors"]) == (422, {"market": ["Must be one of: main."]})
