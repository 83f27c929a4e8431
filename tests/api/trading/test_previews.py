"""Given an order that is only thought of, then a preview tells to the cent what it brings, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.browser import told
from tests.api.venue import Caller, Venue

ORDER = {"document_number": "11122233344", "side": "bid", "order_type": "limit"}


def preview(caller: Caller, **order: Any) -> Any:
    answer = caller.post("/orders/preview", order if "order_id" in order else {**ORDER, **order})
    assert answer.status_code == 200, answer.text
    return answer.json


def placed(venue: Venue, caller: Caller, **order: Any) -> Any:
    """The order after it was matched; its answer where it is refused."""
    answer = caller.post("/orders", {**ORDER, **order})
    if answer.status_code != 201:
        return answer.json
    venue.match()
    return caller.get(f"/orders/{answer.json['order_id']}")


def charged(venue: Venue, caller: Caller, maker_bps: int, taker_bps: int) -> None:
    rates = {"maker_bps": maker_bps, "taker_bps": taker_bps}
    assert venue.admin.put(f"/brokers/{caller.broker_id}/fees", rates).status_code == 200


@pytest.fixture
def stock(venue: Venue) -> str:
    """At 1000 cents."""
    return venue.list(reference_price=1_000)


@pytest.fixture
def seller(venue: Venue, stock: str) -> Caller:
    """Offers 100 at 1000, 100 at 1010 and 500 at 1020."""
    seller = venue.broker(shares={stock: 10_000})
    for quantity, price in ((100, 1_000), (100, 1_010), (500, 1_020)):
        seller.order("ask", stock, quantity, price)
    venue.match()
    return seller


@pytest.fixture
def buyer(venue: Venue) -> Caller:
    """Pays 4 and 10 basis points."""
    buyer = venue.broker(cash=1_000_000)
    charged(venue, buyer, 4, 10)
    return buyer


class TestWhatItTells:
    def test_a_market_order_costs_what_the_book_says_and_reserves_more(
        self, venue: Venue, stock: str, seller: Caller, buyer: Caller
    ) -> None:
        told_ = preview(buyer, symbol=stock, quantity=250, order_type="market")
        notional = 100 * 1_000 + 100 * 1_010 + 50 * 1_020
        assert (told_["accepted"], told_["fills_now"], told_["rests"]) == (True, 250, 0)
        assert (told_["notional"], told_["average_price"]) == (notional, notional / 250)
        assert (told_["fee"], told_["fee_bps"]) == (252, 10)
        most = 250 * 1_050
        assert told_["reserves"] == {"asset": "cash", "amount": most + 263}
        assert told_["available_after"] == 1_000_000 - most - 263
        order = placed(venue, buyer, symbol=stock, quantity=250, order_type="market")
        assert (order["fee"], order["average_price"]) == (told_["fee"], told_["average_price"])
        assert buyer.get("/balance")["available"] == 1_000_000 - notional - 252

    def test_an_order_that_rests_in_part_counts_that_at_its_limit(
        self, venue: Venue, stock: str, seller: Caller, buyer: Caller
    ) -> None:
        told_ = preview(buyer, symbol=stock, quantity=300, price=1_010)
        assert (told_["fills_now"], told_["rests"], told_["quantity_ahead"]) == (200, 100, 0)
        assert told_["notional"] == 201_000 + 101_000
        assert told_["fee"] == -(-(201_000 * 10 + 101_000 * 4) // 10_000)
        assert told_["reserves"]["amount"] == 303_000 + 303
        order = placed(venue, buyer, symbol=stock, quantity=300, price=1_010)
        assert (order["filled_quantity"], order["remaining_quantity"]) == (200, 100)

    def test_an_order_behind_others_hears_how_many_shares_stand_before_it(
        self, venue: Venue, stock: str, seller: Caller, buyer: Caller
    ) -> None:
        venue.broker().order("bid", stock, 70, 990)
        venue.match()
        told_ = preview(buyer, symbol=stock, quantity=10, price=990)
        assert (told_["fills_now"], told_["average_price"], told_["rests"], told_["quantity_ahead"]) == (
            0,
            None,
            10,
            70,
        )
        assert (told_["notional"], told_["fee"], told_["fee_bps"]) == (9_900, 4, 4)
        assert told_["price_range"] == {"lowest": 900, "highest": 1_100, "reference": 1_000}

    def test_a_sale_reserves_shares_and_pays_from_what_it_brings(self, venue: Venue, stock: str, buyer: Caller) -> None:
        holder = venue.broker(shares={stock: 50})
        charged(venue, holder, 0, 20)
        buyer.order("bid", stock, 20, 1_000)
        venue.match()
        told_ = preview(holder, symbol=stock, side="ask", quantity=50, price=1_000)
        assert told_["reserves"] == {"asset": stock, "amount": 50}
        assert (told_["available_after"], told_["max_quantity"]) == (0, 50)
        assert (told_["fills_now"], told_["notional"], told_["fee"]) == (20, 50_000, 40)

    def test_nothing_changes_and_the_name_stays_free(
        self, venue: Venue, stock: str, seller: Caller, buyer: Caller
    ) -> None:
        before = (venue.scalar("SELECT count(*) FROM orders"), venue.scalar("SELECT count(*) FROM commands"))
        for _ in range(2):
            assert preview(buyer, symbol=stock, quantity=1, price=1_000, client_order_id="mine")["accepted"]
        assert before == (venue.scalar("SELECT count(*) FROM orders"), venue.scalar("SELECT count(*) FROM commands"))
        assert buyer.get("/balance")["available"] == 1_000_000
        assert placed(venue, buyer, symbol=stock, quantity=1, price=1_000, client_order_id="mine")["status"] == "filled"
        again = preview(buyer, symbol=stock, quantity=2, price=1_000, client_order_id="mine")
        assert again["refusal"]["code"] == "client_order_id_reused"

    def test_what_icebergs_hide_is_not_told(self, venue: Venue, stock: str, seller: Caller, buyer: Caller) -> None:
        venue.broker(shares={stock: 1_000}).post(
            "/orders",
            {**ORDER, "symbol": stock, "side": "ask", "quantity": 1_000, "price": 1_000, "display_quantity": 100},
        )
        venue.match()
        for time_in_force in ("ioc", "fok"):
            told_ = preview(buyer, symbol=stock, quantity=700, price=1_000, time_in_force=time_in_force)
            assert told_["fills_now"] == (200 if time_in_force == "ioc" else 0)

    def test_ones_own_orders_are_not_traded_with(self, venue: Venue, stock: str, seller: Caller) -> None:
        """The default takes out the resting one."""
        own = venue.broker(shares={stock: 50})
        own.post("/orders", {**ORDER, "symbol": stock, "side": "ask", "quantity": 50, "price": 1_000})
        venue.match()
        for mode, fills in (("cancel_resting", 150), ("cancel_incoming", 100), ("none", 150)):
            told_ = preview(own, symbol=stock, quantity=150, price=1_010, self_trade_prevention=mode)
            assert told_["fills_now"] == fills, mode

    def test_before_an_auction_everything_waits(self, venue: Venue, stock: str, seller: Caller, buyer: Caller) -> None:
        venue.admin.post(f"/stocks/{stock}/state", {"state": "auction"})
        venue.match()
        told_ = preview(buyer, symbol=stock, quantity=10, price=1_020)
        assert (told_["fills_now"], told_["rests"], told_["fee_bps"]) == (0, 10, 4)
        told_ = preview(buyer, symbol=stock, quantity=10, order_type="market")
        assert (told_["accepted"], told_["rests"], told_["quantity_ahead"]) == (True, 10, None)


REFUSED: list[tuple[dict[str, Any], str, str | None, int | None]] = [
    ({"quantity": 100_000, "price": 1_000}, "insufficient_funds", "quantity", 999),
    ({"quantity": 1, "price": 1_101}, "price_outside_band", "price", 1_100),
    ({"quantity": 1, "price": 12}, "price_outside_band", "price", 900),
    ({"quantity": 10**12, "price": 1_000}, "quantity_too_large", "quantity", 999),
    ({"quantity": 1, "price": 1_000, "post_only": True}, "post_only_would_take", None, 999),
    ({"quantity": 1_000, "price": 990, "display_quantity": 1}, "display_quantity_too_small", "display_quantity", 10),
    ({"quantity": 5, "price": 990, "side": "ask"}, "insufficient_shares", "quantity", None),
    (
        {"quantity": 5, "price": 990, "valid_until": "2020-01-01T00:00:00Z"},
        "valid_until_in_the_past",
        "valid_until",
        None,
    ),
]


class TestWhyItWouldBeRefused:
    @pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused[1])
    def test_the_refusal_is_the_one_that_placing_it_gets(
        self, venue: Venue, stock: str, seller: Caller, buyer: Caller, refused: Any
    ) -> None:
        order, code, field, nearest = refused
        told_ = preview(buyer, symbol=stock, **order)
        assert not told_["accepted"]
        first = told_["refusals"][0]
        assert (first["code"], first["field"], first["nearest"]) == (code, field, nearest)
        answer = placed(venue, buyer, symbol=stock, **order)
        if answer.get("reject_code"):
            assert answer["reject_code"] == told_["refusal"]["code"]
        else:
            told_["refusal"].pop("detail"), told_["refusal"].pop("errors")  # they may tell the time
            assert told_["refusal"].items() <= answer.items()

    def test_all_that_stands_against_it_is_told(self, venue: Venue, buyer: Caller) -> None:
        stock = venue.list(reference_price=1_000, tick_size=5, lot_size=100)
        told_ = preview(buyer, symbol=stock, quantity=150, price=1_203)
        assert [(one["code"], one["nearest"]) for one in told_["refusals"]] == [("off_tick", 1_100), ("off_lot", 200)]
        assert told_["fills_now"] == told_["rests"] == 0
        venue.admin.post(f"/stocks/{stock}/state", {"state": "halted"})
        venue.match()
        told_ = preview(buyer, symbol=stock, quantity=10**6, price=1_000)
        assert [one["code"] for one in told_["refusals"]] == ["stock_halted", "insufficient_funds"]
        assert told_["refusal"]["status"] == 409

    def test_max_can_be_bought_with_its_fee(self, venue: Venue, stock: str) -> None:
        broker = venue.broker(cash=100_000)
        charged(venue, broker, 0, 10)
        told_ = preview(broker, symbol=stock, quantity=100, price=1_000)
        assert (told_["refusal"]["code"], told_["refusal"]["required"]) == ("insufficient_funds", 100_100)
        assert told_["reserves"]["amount"] == 100_100
        assert told_["max_quantity"] == 99
        assert preview(broker, symbol=stock, quantity=99, price=1_000)["accepted"]
        assert placed(venue, broker, symbol=stock, quantity=99, price=1_000)["status"] == "open"
        assert preview(broker, symbol=stock, quantity=1, price=1_000)["max_quantity"] == 0

    def test_the_open_orders_that_one_may_have_count(self, venue: Venue, stock: str, buyer: Caller) -> None:
        limits = venue.settings.limits
        kept = limits.open_orders_per_stock
        object.__setattr__(limits, "open_orders_per_stock", 1)
        try:
            buyer.order("bid", stock, 1, 990)
            assert preview(buyer, symbol=stock, quantity=1, price=990)["refusal"]["limit"] == "open_orders_per_stock"
        finally:
            object.__setattr__(limits, "open_orders_per_stock", kept)

    def test_who_may_not_trade_hears_nothing_and_nonsense_is_no_order(
        self, venue: Venue, stock: str, buyer: Caller
    ) -> None:
        order = {**ORDER, "symbol": stock, "quantity": 1, "price": 1_000}
        read_only = buyer.post("/api-keys", {"name": "eyes", "scopes": ["read"]}).json["api_key"]
        assert Caller(venue, read_only).post("/orders/preview", order).status_code == 403
        assert told(venue.nobody.post("/orders/preview", order)) == (401, "unauthenticated")
        assert told(buyer.post("/orders/preview", {**order, "symbol": "NONE9"})) == (404, "unknown_stock")
        for wrong in ({}, {"order_id": 1}, {"order_id": 1, "symbol": stock}, {**order, "quantity": 0}):
            assert told(buyer.post("/orders/preview", wrong)) == (422, "invalid_request")
        venue.admin.post(f"/brokers/{buyer.broker_id}/suspend")
        assert told(buyer.post("/orders/preview", order)) == (403, "broker_suspended")


class TestAmendments:
    def test_less_keeps_its_place_and_another_price_loses_it(
        self, venue: Venue, stock: str, seller: Caller, buyer: Caller
    ) -> None:
        venue.broker().order("bid", stock, 70, 990)
        order_id = buyer.order("bid", stock, 100, 990)
        venue.broker().order("bid", stock, 40, 990)
        venue.broker().order("bid", stock, 33, 995)
        venue.match()
        less = preview(buyer, order_id=order_id, quantity=60)
        assert (less["keeps_priority"], less["quantity_ahead"], less["rests"]) == (True, 70, 60)
        assert less["reserves"]["amount"] == 60 * 990 + 60
        more = preview(buyer, order_id=order_id, quantity=160)
        assert (more["keeps_priority"], more["quantity_ahead"]) == (False, 110)
        dearer = preview(buyer, order_id=order_id, price=995)
        assert (dearer["keeps_priority"], dearer["quantity_ahead"], dearer["notional"]) == (False, 33, 99_500)
        available = buyer.get("/balance")["available"]
        assert dearer["available_after"] == available - 501

    def test_one_that_would_trade_says_at_what_and_comes_to_that(
        self, venue: Venue, stock: str, seller: Caller, buyer: Caller
    ) -> None:
        order_id = buyer.order("bid", stock, 300, 990)
        venue.match()
        told_ = preview(buyer, order_id=order_id, price=1_010)
        assert (told_["fills_now"], told_["rests"], told_["average_price"]) == (200, 100, 1_005)
        with venue.matching():
            order = buyer.put(f"/orders/{order_id}", {"price": 1_010}).json
        assert (order["filled_quantity"], order["average_price"]) == (200, 1_005)
        assert order["fee"] == 201
        again = preview(buyer, order_id=order_id, quantity=310)
        assert (again["fills_now"], again["rests"]) == (0, 110)

    def test_it_is_refused_as_the_amendment_is(self, venue: Venue, stock: str, seller: Caller, buyer: Caller) -> None:
        order_id = buyer.order("bid", stock, 100, 990)
        venue.match()
        for wanted, nearest in (({"quantity": 5_000}, 1_009), ({"price": 1_150}, 1_100), ({"quantity": 10**12}, 1_009)):
            told_ = preview(buyer, order_id=order_id, **wanted)
            answer = buyer.put(f"/orders/{order_id}", wanted).json
            answer.pop("request_id")
            assert told_["refusal"] == answer
            assert told_["refusals"][0]["nearest"] == nearest
        assert buyer.get(f"/orders/{order_id}")["quantity"] == 100

    def test_others_orders_and_closed_ones(self, venue: Venue, stock: str, seller: Caller, buyer: Caller) -> None:
        order_id = buyer.order("bid", stock, 100, 1_000)
        venue.match()
        told_ = preview(buyer, order_id=order_id, quantity=200)
        assert (told_["refusal"]["code"], told_["rests"], told_["reserves"]["amount"]) == ("order_closed", 0, 0)
        assert told(seller.post("/orders/preview", {"order_id": order_id, "quantity": 1})) == (403, "not_your_order")
        assert told(seller.post("/orders/preview", {"order_id": 10**9, "quantity": 1})) == (404, "unknown_order")

    def test_one_that_waits_for_the_book_would_rest(self, venue: Venue, stock: str, buyer: Caller) -> None:
        order_id = buyer.order("bid", stock, 100, 1_000)
        told_ = preview(buyer, order_id=order_id, quantity=90)
        assert (told_["accepted"], told_["rests"], told_["reserves"]["amount"]) == (True, 90, 90_090)

    def test_a_stop_is_previewed_with_the_protection_of_its_new_stop_price(
        self, venue: Venue, stock: str, buyer: Caller
    ) -> None:
        order = {**ORDER, "symbol": stock, "quantity": 10, "order_type": "stop", "stop_price": 1_040}
        order_id = buyer.post("/orders", order).json["order_id"]
        venue.match()
        told_ = preview(buyer, order_id=order_id, stop_price=1_060)
        assert (told_["accepted"], told_["keeps_priority"], told_["quantity_ahead"]) == (True, False, None)
        assert told_["reserves"]["amount"] == 10 * 1_113 + 12
        with venue.matching():
            amended = buyer.put(f"/orders/{order_id}", {"stop_price": 1_060}).json
        assert (amended["stop_price"], amended["status"]) == (1_060, "untriggered")
        assert buyer.get("/balance")["reserved"] == told_["reserves"]["amount"]
        limit = buyer.order("bid", stock, 1, 990)
        assert preview(buyer, order_id=limit, stop_price=1_000)["refusal"]["code"] == "stop_price_not_amendable"
        assert told(buyer.put(f"/orders/{limit}", {"stop_price": 1_000})) == (409, "stop_price_not_amendable")
