"""Placing orders: what is answered, what is stored, and what the same again gives."""

from __future__ import annotations

import gc

import pytest

from tests.api.venue import Venue, an_order


def test_an_order_is_answered_once_it_is_stored(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    answer = broker.post("/orders", an_order("bid", stock, 100, 3_400, client_order_id="first"))
    assert answer.status_code == 201
    order_id = answer.json["order_id"]
    assert answer.json == {"order_id": order_id, "status": "pending", "client_order_id": "first"}
    assert answer.headers["Location"] == f"/api/v1/orders/{order_id}"
    stored = broker.get(f"/orders/{order_id}")
    expected = {"side": "bid", "price": 3_400, "quantity": 100, "remaining_quantity": 100, "status": "pending"}
    assert expected.items() <= stored.items()
    assert (stored["order_type"], stored["time_in_force"], stored["trades"]) == ("limit", "gtc", [])
    assert venue.scalar("SELECT count(*) FROM commands WHERE order_id = :id", id=order_id) == 1
    assert broker.get("/balance")["reserved"] == 340_000


@pytest.mark.parametrize(("said", "meant"), [("bid", "bid"), ("ask", "ask"), ("buy", "bid"), ("sell", "ask")])
def test_buy_and_sell_are_understood(venue: Venue, said: str, meant: str) -> None:
    stock = venue.list()
    broker = venue.broker(shares={stock: 100})
    assert broker.get(f"/orders/{broker.order(said, stock, 1, 3_500)}")["side"] == meant


@pytest.mark.parametrize(
    ("given", "implied"),
    [
        ({}, ("limit", "gtc")),
        ({"time_in_force": "ioc"}, ("limit", "ioc")),
        ({"valid_until": "2099-01-01T00:00:00Z"}, ("limit", "gtd")),
        ({"valid_until": "2099-01-01T00:00:00-03:00", "time_in_force": "gtd"}, ("limit", "gtd")),
        ({"order_type": "market", "price": None}, ("market", "ioc")),
        ({"order_type": "market", "price": None, "time_in_force": "ioc"}, ("market", "ioc")),
    ],
)
def test_what_is_left_out_is_implied(venue: Venue, given: dict[str, str], implied: tuple[str, str]) -> None:
    stock, broker = venue.list(), venue.broker()
    answer = broker.post("/orders", {**an_order("bid", stock), **given})
    order = broker.get(f"/orders/{answer.json['order_id']}")
    assert (order["order_type"], order["time_in_force"]) == implied


def test_a_moment_is_kept_in_utc(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    order_id = broker.order("bid", stock, 1, 3_500, valid_until="2099-12-31T21:00:00.123456-03:00")
    assert broker.get(f"/orders/{order_id}")["valid_until"] == "2100-01-01T00:00:00.123456Z"


class TestTheSameClientOrderId:
    """FIX ClOrdID: the way out when an answer got lost."""

    def test_with_the_same_order_gets_the_first_answer(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        body = an_order("bid", stock, client_order_id="again")
        first, second = broker.post("/orders", body), broker.post("/orders", dict(reversed(body.items())))
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json == second.json
        assert venue.scalar("SELECT count(*) FROM orders WHERE broker_id = :id", id=broker.broker_id) == 1

    def test_means_the_same_however_defaults_are_written(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        body = an_order("bid", stock, client_order_id="defaults")
        written = {**body, "side": "buy", "order_type": "limit", "time_in_force": "gtc", "valid_until": None}
        assert broker.post("/orders", body).json == broker.post("/orders", written).json

    @pytest.mark.parametrize("change", [{"quantity": 101}, {"price": 3_501}, {"side": "ask"}, {"document_number": "1"}])
    def test_with_another_order_is_refused(self, venue: Venue, change: dict[str, object]) -> None:
        stock = venue.list()
        broker = venue.broker(shares={stock: 1_000})
        body = an_order("bid", stock, client_order_id="reused")
        order_id = broker.post("/orders", body).json["order_id"]
        answer = broker.post("/orders", {**body, **change})
        assert (answer.status_code, answer.json["code"]) == (422, "client_order_id_reused")
        assert list(answer.json["errors"]) == ["client_order_id"]
        assert answer.json["order_id"] == order_id

    def test_is_still_known_when_the_order_would_be_refused_today(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        body = an_order("bid", stock, client_order_id="halted")
        order_id = broker.post("/orders", body).json["order_id"]
        venue.run("UPDATE stocks SET state = 'halted' WHERE symbol = :symbol", symbol=stock)
        venue.components.intake._rules.forget()
        assert broker.post("/orders", an_order("bid", stock)).json["code"] == "stock_halted"
        answer = broker.post("/orders", body)
        assert (answer.status_code, answer.json["order_id"]) == (200, order_id)

    def test_of_another_broker_is_another_one(self, venue: Venue) -> None:
        stock = venue.list()
        body = an_order("bid", stock, client_order_id="shared")
        assert venue.broker().post("/orders", body).status_code == 201
        assert venue.broker().post("/orders", body).status_code == 201


class TestRefusals:
    """Each with its status, its code, the field at fault and the figures that explain it."""

    def test_not_enough_money(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker(cash=349_999)
        answer = broker.post("/orders", an_order("bid", stock, 100, 3_500))
        assert (answer.status_code, answer.json["code"]) == (422, "insufficient_funds")
        assert answer.json["required"] == 350_000
        assert broker.get("/orders")["items"] == []

    def test_not_enough_shares(self, venue: Venue) -> None:
        stock = venue.list()
        answer = venue.broker(shares={stock: 99}).post("/orders", an_order("ask", stock, 100))
        assert (answer.status_code, answer.json["code"]) == (422, "insufficient_shares")

    def test_outside_the_band(self, venue: Venue) -> None:
        stock, broker = venue.list(reference_price=1_000), venue.broker()
        answer = broker.post("/orders", an_order("bid", stock, 1, 1_101))
        assert (answer.status_code, answer.json["code"]) == (422, "price_outside_band")
        limits = {"reference_price": 1_000, "lowest_price": 900, "highest_price": 1_100}
        assert limits.items() <= answer.json.items()
        assert list(answer.json["errors"]) == ["price"]

    @pytest.mark.parametrize(
        ("rules", "order", "code"),
        [
            ({"tick_size": 5}, {"price": 3_501}, "off_tick"),
            ({"lot_size": 100}, {"quantity": 150}, "off_lot"),
            ({}, {"valid_until": "2020-01-01T00:00:00Z"}, "valid_until_in_the_past"),
            ({"band": 0}, {"price": 1_000_000_001}, "price_too_large"),
            ({}, {"quantity": 1_000_000_001}, "quantity_too_large"),
        ],
    )
    def test_against_the_stocks_rules(
        self, venue: Venue, rules: dict[str, int], order: dict[str, object], code: str
    ) -> None:
        stock, broker = venue.list(**rules), venue.broker(cash=10**15)
        answer = broker.post("/orders", {**an_order("bid", stock), **order})
        assert (answer.status_code, answer.json["code"]) == (422, code)
        assert list(answer.json["errors"]) == list(order)

    def test_a_market_order_without_anything_to_go_by(self, venue: Venue) -> None:
        stock, broker = venue.list(reference_price=None), venue.broker()
        answer = broker.post("/orders", an_order("bid", stock, 1, None, order_type="market"))
        assert (answer.status_code, answer.json["code"]) == (422, "no_reference_price")

    def test_a_market_order_where_there_is_a_reference_but_no_band(self, venue: Venue) -> None:
        stock, broker = venue.list(band=0), venue.broker()
        answer = broker.post("/orders", an_order("bid", stock, 1, None, order_type="market"))
        assert (answer.status_code, answer.json["code"]) == (422, "no_reference_price")
        assert answer.json["errors"] == {"order_type": [f"{stock} has no offer and no price band."]}

    def test_an_unknown_stock(self, venue: Venue) -> None:
        answer = venue.broker().post("/orders", an_order("bid", "NOSUCH"))
        assert (answer.status_code, answer.json["code"]) == (404, "unknown_stock")

    @pytest.mark.parametrize(("state", "code"), [("halted", "stock_halted"), ("closed", "stock_closed")])
    def test_a_stock_that_takes_no_orders(self, venue: Venue, state: str, code: str) -> None:
        stock, broker = venue.list(), venue.broker()
        venue.run("UPDATE stocks SET state = :state WHERE symbol = :symbol", state=state, symbol=stock)
        answer = broker.post("/orders", an_order("bid", stock))
        assert (answer.status_code, answer.json["code"]) == (409, code)

    def test_a_suspended_broker_may_still_look_and_cancel(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 1, 3_500)
        venue.run("UPDATE brokers SET status = 'suspended' WHERE id = :id", id=broker.broker_id)
        answer = broker.post("/orders", an_order("bid", stock))
        assert (answer.status_code, answer.json["code"]) == (403, "broker_suspended")
        assert broker.put(f"/orders/{order_id}", {"quantity": 2}).status_code == 403
        assert broker.get(f"/orders/{order_id}")["order_id"] == order_id
        assert broker.delete(f"/orders/{order_id}", Prefer="respond-async").status_code == 202


class TestWaiting:
    """`Prefer: wait=N` (RFC 7240): the answer comes after matching."""

    def test_the_answer_has_the_fills(self, venue: Venue) -> None:
        stock = venue.list()
        seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
        with venue.matching():
            seller.order("ask", stock, 60, 3_490)
            answer = buyer.post("/orders", an_order("bid", stock, 100, 3_500), Prefer="wait=5")
        assert (answer.status_code, answer.headers["Preference-Applied"]) == (201, "wait=5")
        order = answer.json
        assert (order["status"], order["filled_quantity"], order["remaining_quantity"]) == ("partially_filled", 60, 40)
        (fill,) = order["trades"]
        assert (fill["price"], fill["quantity"], fill["side"], fill["busted"]) == (3_490, 60, "bid", False)
        assert order["average_price"] == 3_490
        assert order == buyer.get(f"/orders/{order['order_id']}")

    def test_nobody_waits_longer_than_asked(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        answer = broker.post("/orders", an_order("bid", stock), Prefer="wait=1")
        assert (answer.status_code, answer.json["status"]) == (201, "pending")

    def test_the_longest_wait_is_bounded(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        with venue.matching():
            answer = broker.post("/orders", an_order("bid", stock), Prefer="wait=3600")
        assert answer.headers["Preference-Applied"] == f"wait={venue.settings.web.max_wait_seconds}"

    @pytest.mark.parametrize("prefer", ["wait=0", "wait=-1", "wait=soon", "wait", "return=minimal", "wait=1e3", ""])
    def test_what_makes_no_sense_is_passed_over(self, venue: Venue, prefer: str) -> None:
        stock, broker = venue.list(), venue.broker()
        answer = broker.post("/orders", an_order("bid", stock), Prefer=prefer)
        assert answer.status_code == 201
        assert "Preference-Applied" not in answer.headers

    def test_a_known_order_is_waited_for_too(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        body = an_order("bid", stock, client_order_id="waited")
        broker.post("/orders", body)
        with venue.matching():
            answer = broker.post("/orders", body, Prefer="wait=5")
        assert (answer.status_code, answer.json["status"]) == (200, "open")
        assert broker.post("/orders", body, Prefer="wait=5").json == answer.json

    def test_an_order_that_the_book_refuses_says_why(self, venue: Venue) -> None:
        stock, broker = venue.list(reference_price=1_000), venue.broker()
        order_id = broker.order("bid", stock, 1, 1_100)
        venue.run("UPDATE stocks SET reference_price = 100, book_version = book_version + 1 WHERE symbol = :s", s=stock)
        venue.match()
        order = broker.get(f"/orders/{order_id}")
        assert (order["status"], order["reject_code"]) == ("rejected", "price_outside_band")
        assert broker.get("/balance")["reserved"] == 0


@pytest.mark.parametrize(
    "change", [{"quantity": 0}, {"member": 1}, {"symbol": "NOSUCH"}, {"price": 1}, {"client_order_id": "used"}]
)
def test_a_refusal_leaves_nothing_to_the_garbage_collector(venue: Venue, change: dict[str, object]) -> None:
    """While it clears away the loop stands still, for everybody. The client of these tests leaves something, too."""
    stock = venue.list()
    broker = venue.broker(cash=1_000_000)
    known = an_order("bid", stock, 100, 3_500, client_order_id="used")
    order = an_order("bid", stock, 200, 3_500) | change

    def garbage_of(order: dict[str, object], status: range) -> int:
        gc.collect()
        gc.disable()
        try:
            for _ in range(100):
                assert broker.post("/orders", order).status_code in status
            return gc.collect()
        finally:
            gc.enable()

    for each in (known, order):
        broker.post("/orders", each)
    assert garbage_of(order, range(400, 500)) < garbage_of(known, range(200, 201)) + 100
