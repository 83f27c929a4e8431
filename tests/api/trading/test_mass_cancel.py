"""Cancel everything: by hand, by silence, or because an operator suspends the broker."""

from __future__ import annotations

import pytest

from database.session import transaction
from services.order_entry.changing.cancel_after import cancel_for_the_silent
from tests.api.venue import Caller, Venue, an_order


def statuses(broker: Caller) -> list[str]:
    """Those of the broker's orders, oldest first."""
    return [order["status"] for order in reversed(broker.get("/orders")["items"])]


def with_orders(venue: Venue) -> tuple[Caller, str, str]:
    """A broker with a bid and an ask on one stock, a bid on another, and those stocks."""
    one, other = venue.list(), venue.list()
    broker = venue.broker(shares={one: 100})
    broker.order("bid", one, 1, 3_400)
    broker.order("ask", one, 1, 3_600)
    broker.order("bid", other, 1, 3_400)
    return broker, one, other


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", ["cancelled", "cancelled", "cancelled"]),
        ("?symbol={one}", ["cancelled", "cancelled", "open"]),
        ("?side=bid", ["cancelled", "open", "cancelled"]),
        ("?symbol={one}&side=ask", ["open", "cancelled", "open"]),
    ],
)
def test_all_of_them_or_those_of_a_stock_or_a_side(venue: Venue, query: str, left: list[str]) -> None:
    broker, one, _ = with_orders(venue)
    bystander = venue.broker()
    kept = bystander.order("bid", one, 1, 3_400)
    with venue.matching():
        answer = broker.delete(f"/orders{query.format(one=one)}")
    assert (answer.status_code, answer.json) == (200, {"cancelled": left.count("cancelled"), "queued": 0})
    venue.match()
    assert statuses(broker) == left
    assert bystander.get(f"/orders/{kept}")["status"] == "open"


def test_orders_that_are_not_in_the_book_yet_are_cancelled_too(venue: Venue) -> None:
    broker, *_ = with_orders(venue)
    answer = broker.delete("/orders", Prefer="respond-async")
    assert (answer.status_code, answer.json) == (202, {"cancelled": 0, "queued": 3})
    venue.match()
    assert statuses(broker) == ["cancelled"] * 3
    assert broker.get("/balance")["reserved"] == 0


def test_with_nothing_to_cancel_it_answers_at_once(venue: Venue) -> None:
    answer = venue.broker().delete("/orders")
    assert (answer.status_code, answer.json) == (200, {"cancelled": 0, "queued": 0})


@pytest.mark.parametrize(("query", "status"), [("?symbol=NOSUCH", 404), ("?side=up", 422), ("?colour=red", 422)])
def test_a_wrong_condition_cancels_nothing(venue: Venue, query: str, status: int) -> None:
    broker, *_ = with_orders(venue)
    assert broker.delete(f"/orders{query}").status_code == status
    venue.match()
    assert statuses(broker) == ["open"] * 3


class TestSwitch:
    """The dead man's switch."""

    def fire(self, venue: Venue) -> list[tuple[str, str]]:
        with transaction(venue.engine) as session:
            return cancel_for_the_silent(session)

    def test_cancels_once_the_broker_is_silent_for_too_long(self, venue: Venue) -> None:
        broker, one, other = with_orders(venue)
        venue.match()
        armed = broker.post("/orders/cancel-after", {"seconds": 60})
        assert armed.json["cancel_at"] is not None
        assert self.fire(venue) == []
        venue.run("UPDATE brokers SET cancel_after = clock_timestamp() WHERE id = :id", id=broker.broker_id)
        assert sorted(self.fire(venue)) == sorted([(one, "A"), (other, "A")])
        venue.match()
        assert statuses(broker) == ["cancelled"] * 3
        assert self.fire(venue) == [], "once it has cancelled it is off"

    def test_is_armed_anew_by_each_call_and_turned_off_by_zero(self, venue: Venue) -> None:
        broker = venue.broker()
        first, second = (broker.post("/orders/cancel-after", {"seconds": 60}).json["cancel_at"] for _ in range(2))
        assert second > first
        assert broker.post("/orders/cancel-after", {"seconds": 0}).json == {"seconds": 0, "cancel_at": None}
        assert venue.scalar("SELECT cancel_after FROM brokers WHERE id = :id", id=broker.broker_id) is None

    @pytest.mark.parametrize("seconds", [-1, 86_401, 1.5, "10", True, None])
    def test_takes_whole_seconds_up_to_a_day(self, venue: Venue, seconds: object) -> None:
        answer = venue.broker().post("/orders/cancel-after", {"seconds": seconds})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["seconds"])


class TestSuspension:
    """The kill switch."""

    def test_cancels_everything_and_lets_nothing_in_until_it_is_lifted(self, venue: Venue) -> None:
        broker, one, _ = with_orders(venue)
        answer = venue.admin.post(f"/brokers/{broker.broker_id}/suspend")
        assert answer.json == {"broker_id": broker.broker_id, "status": "suspended", "cancelling": 3}
        refused = broker.post("/orders", an_order("bid", one))
        assert (refused.status_code, refused.json["code"]) == (403, "broker_suspended")
        venue.match()
        assert statuses(broker) == ["cancelled"] * 3
        assert broker.delete("/orders").status_code == 200
        venue.admin.post(f"/brokers/{broker.broker_id}/activate")
        assert broker.post("/orders", an_order("bid", one)).status_code == 201

    def test_holds_even_where_the_key_is_still_believed(self, venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
        broker, one, _ = with_orders(venue)
        monkeypatch.setattr("api.trading.orders.refuse_suspended", lambda: None)
        venue.admin.post(f"/brokers/{broker.broker_id}/suspend")
        for side in ("bid", "ask"):
            refused = broker.post("/orders", an_order(side, one, 1))
            assert (refused.status_code, refused.json["code"]) == (403, "broker_suspended")

    def test_of_nobody(self, venue: Venue) -> None:
        for act in ("suspend", "activate"):
            answer = venue.admin.post(f"/brokers/4711/{act}")
            assert (answer.status_code, answer.json["code"]) == (404, "unknown_broker")
