"""Amend and cancel over REST: at once, queued, too late, refused."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from database.session import transaction
from services.stocks.trading_states import ROLL, StateRequest, ask_for
from tests.api.venue import Venue, an_order, settings_for


class TestCancel:
    """204 once it is cancelled or was already closed; 202 while it waits for the book."""

    @pytest.mark.parametrize("way", ["DELETE", "POST"])
    def test_is_answered_once_the_book_has_done_it(self, venue: Venue, way: str) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        path = f"/orders/{order_id}" if way == "DELETE" else f"/orders/{order_id}/cancel"
        with venue.matching():
            answer = broker.call(way, path)
        assert (answer.status_code, answer.data) == (204, b"")
        order = broker.get(f"/orders/{order_id}")
        assert (order["status"], order["remaining_quantity"], order["cancelled_quantity"]) == ("cancelled", 0, 100)
        assert broker.get("/balance")["reserved"] == 0

    def test_of_a_closed_order_changes_nothing(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        with venue.matching():
            assert [broker.delete(f"/orders/{order_id}").status_code for _ in range(3)] == [204, 204, 204]
        assert venue.scalar("SELECT count(*) FROM commands WHERE order_id = :id", id=order_id) == 2

    def test_that_still_waits_is_202_after_the_configured_time(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        began = time.monotonic()
        assert broker.delete(f"/orders/{order_id}").status_code == 202
        assert time.monotonic() - began > 0.25
        venue.match()
        assert broker.get(f"/orders/{order_id}")["status"] == "cancelled"

    def test_can_be_answered_at_once(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        answer = broker.delete(f"/orders/{order_id}", Prefer="respond-async")
        assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")

    def test_can_be_waited_for_longer(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        later = threading.Timer(0.6, venue.match)
        later.start()
        answer = broker.delete(f"/orders/{order_id}", Prefer="respond-async, wait=5")
        later.join()
        assert (answer.status_code, answer.headers["Preference-Applied"]) == (204, "wait=5")

    def test_that_breaks_says_so(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        venue.match()
        broken = "UPDATE commands SET sequence = 99, sequenced_at = now(), refused = 'internal_error'"
        with venue.once_waiting("cancel", lambda: venue.run(f"{broken} WHERE sequence IS NULL")):
            answer = broker.delete(f"/orders/{order_id}", Prefer="wait=10")
        assert (answer.status_code, answer.json["code"]) == (409, "cancel_refused")
        assert answer.json["reason"] == "internal_error"

    def test_takes_the_reply_for_an_answer(self, venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
        stock, broker = venue.list(), venue.broker()
        first, second = (broker.order("bid", stock, 100, 3_500) for _ in range(2))
        asked = []
        monkeypatch.setattr("api.trading.command_results.command_result", lambda *command: asked.append(command))
        with venue.matching():
            assert broker.delete(f"/orders/{first}").status_code == 204  # the listener may only begin to listen with it
            asked.clear()
            assert broker.delete(f"/orders/{second}").status_code == 204
        assert asked == []
        assert broker.get(f"/orders/{second}")["status"] == "cancelled"

    @pytest.mark.parametrize("told", [None, 7, {}, {"sequence": "1", "refused": None, "order_is_open": False}])
    def test_asks_the_database_where_the_reply_says_nothing(
        self, venue: Venue, monkeypatch: pytest.MonkeyPatch, told: object
    ) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        bus = venue.matcher.bus
        say = bus.announce

        def mumble(messages: Any, snapshots: Any, replies: Any, changed: Any) -> bool:
            return say(messages, snapshots, [(address, told) for address, _ in replies], changed)

        monkeypatch.setattr(bus, "announce", mumble)
        with venue.matching():
            assert broker.delete(f"/orders/{order_id}").status_code == 204
        assert broker.get(f"/orders/{order_id}")["status"] == "cancelled"

    def test_of_an_unknown_order(self, venue: Venue) -> None:
        answer = venue.broker().delete("/orders/999999")
        assert (answer.status_code, answer.json["code"]) == (404, "unknown_order")


class TestAmend:
    """200 once applied, 202 while it waits, 409 when the book refuses it, 422 when it can never be."""

    def test_is_answered_with_the_order_as_it_is_then(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        with venue.matching():
            answer = broker.put(f"/orders/{order_id}", {"price": 3_400, "quantity": 150})
        assert answer.status_code == 200
        assert (answer.json["price"], answer.json["quantity"], answer.json["status"]) == (3_400, 150, "open")
        assert answer.json == broker.get(f"/orders/{order_id}")
        assert broker.get("/balance")["reserved"] == 3_400 * 150

    @pytest.mark.parametrize("change", [{"quantity": 4}, {"quantity": 3, "price": 3_400}])
    def test_to_what_is_filled_cancels_the_rest_and_leaves_the_total(
        self, venue: Venue, change: dict[str, object]
    ) -> None:
        stock = venue.list()
        broker, other = venue.broker(), venue.broker(shares={stock: 4})
        order_id = broker.order("bid", stock, 10, 3_500)
        other.order("ask", stock, 4, 3_500)
        with venue.matching():
            answer = broker.put(f"/orders/{order_id}", change, Prefer="wait=10")
        assert answer.status_code == 200
        parts = [answer.json[f"{part}quantity"] for part in ("", "filled_", "remaining_", "cancelled_", "prevented_")]
        assert (answer.json["status"], answer.json["price"], parts) == ("cancelled", 3_500, [10, 4, 0, 6, 0])
        assert broker.get("/balance")["reserved"] == 0
        again = broker.put(f"/orders/{order_id}", change)
        assert (again.status_code, again.json["code"]) == (409, "order_closed")

    def test_of_the_end(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        with venue.matching():
            answer = broker.put(f"/orders/{order_id}", {"valid_until": "2099-01-01T00:00:00Z"})
            assert answer.json["valid_until"] == "2099-01-01T00:00:00.000000Z"
            assert broker.put(f"/orders/{order_id}", {"valid_until": None}).json["valid_until"] is None

    def test_that_still_waits_is_202(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        answer = broker.put(f"/orders/{order_id}", {"price": 3_400}, Prefer="respond-async")
        assert (answer.status_code, answer.json["price"]) == (202, 3_500)
        again = broker.put(f"/orders/{order_id}", {"price": 3_300})
        assert (again.status_code, again.json["code"]) == (409, "amendment_waiting")
        venue.match()
        assert broker.get(f"/orders/{order_id}")["price"] == 3_400

    def test_that_the_band_has_overtaken_names_the_band(self, venue: Venue) -> None:
        stock = venue.list()
        seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
        seller.order("ask", stock, 10, 3_800)
        buyer.order("bid", stock, 10, 3_800)
        order_id = buyer.order("bid", stock, 100, 3_500)
        venue.match()
        with transaction(venue.engine) as session:
            ask_for(session, stock, StateRequest(ROLL))
        with venue.once_waiting("amend", venue.match):
            answer = buyer.put(f"/orders/{order_id}", {"price": 3_160}, Prefer="wait=10")
        assert (answer.status_code, answer.json["reason"]) == (409, "price_outside_band")
        band = [answer.json[name] for name in ("reference_price", "lowest_price", "highest_price")]
        assert band == [3_800, 3_420, 4_180]
        assert buyer.get(f"/orders/{order_id}")["price"] == 3_500

    def test_that_came_too_late(self, venue: Venue) -> None:
        stock = venue.list()
        seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
        order_id = buyer.order("bid", stock, 100, 3_500)
        seller.order("ask", stock, 100, 3_500)
        with venue.once_waiting("amend", venue.match):
            answer = buyer.put(f"/orders/{order_id}", {"price": 3_400}, Prefer="wait=10")
        assert (answer.status_code, answer.json["code"]) == (409, "order_closed")
        assert buyer.put(f"/orders/{order_id}", {"price": 3_400}).json["code"] == "order_closed"
        assert {"reserved": 0, "balance": -350_000}.items() <= buyer.get("/balance").items()

    def test_that_the_book_refuses_says_why(self, venue: Venue) -> None:
        stock, broker = venue.list(reference_price=1_000), venue.broker()
        order_id = broker.order("bid", stock, 1, 1_000)
        venue.match()

        def move_the_band() -> None:
            venue.run(
                "UPDATE stocks SET reference_price = 900, book_version = book_version + 1 WHERE symbol = :s", s=stock
            )
            venue.match()

        with venue.once_waiting("amend", move_the_band):
            answer = broker.put(f"/orders/{order_id}", {"price": 1_100}, Prefer="wait=10")
        assert (answer.status_code, answer.json["code"]) == (409, "amendment_refused")
        assert answer.json["reason"] == "price_outside_band"
        assert broker.get(f"/orders/{order_id}")["price"] == 1_000

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"price": 3_499_999}, "price_outside_band"),
            ({"quantity": 10**9}, "insufficient_funds"),
            ({"quantity": 10**9 + 1}, "quantity_too_large"),
            ({"valid_until": "2020-01-01T00:00:00Z"}, "valid_until_in_the_past"),
        ],
    )
    def test_that_can_never_be(self, venue: Venue, change: dict[str, object], code: str) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, 3_500)
        answer = broker.put(f"/orders/{order_id}", change)
        assert (answer.status_code, answer.json["code"]) == (422, code)
        assert broker.get("/balance")["reserved"] == 350_000

    def test_of_a_market_order(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 100, None, order_type="market")
        answer = broker.put(f"/orders/{order_id}", {"quantity": 1})
        assert (answer.status_code, answer.json["code"]) == (409, "market_order_not_amendable")


def test_without_redis_whoever_waits_looks_for_himself(database_url: str) -> None:
    lonely = Venue(settings_for(database_url, "redis://127.0.0.1:1/0"))
    stock, broker = lonely.list(), lonely.broker()
    with lonely.matching():
        answer = broker.post("/orders", an_order("bid", stock), Prefer="wait=5")
        assert (answer.status_code, answer.json["status"]) == (201, "open")
        assert broker.put(f"/orders/{answer.json['order_id']}", {"quantity": 1}, Prefer="wait=5").status_code == 200
        assert broker.delete(f"/orders/{answer.json['order_id']}", Prefer="wait=5").status_code == 204
    lonely.close()


def test_only_so_many_wait_at_once(database_url: str, redis_url: str) -> None:
    small = Venue(settings_for(database_url, redis_url, web={"waiting": 1}))
    stock, broker = small.list(), small.broker()
    waiting = threading.Thread(target=lambda: broker.post("/orders", an_order("bid", stock), Prefer="wait=2"))
    waiting.start()
    time.sleep(0.5)
    answer = broker.post("/orders", an_order("bid", stock), Prefer="wait=2")
    assert (answer.status_code, answer.json["status"]) == (201, "pending")
    waiting.join()
    small.close()
