"""Whoever traded asks how it came about: each is told of its own side, and strangers of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from services.history import rebuilding
from serving.places import NoPlaceError
from tests.api.venue import Caller, Venue


@pytest.fixture(scope="module")
def traded(venue: Venue) -> tuple[Caller, Caller, int]:
    """A seller, a buyer who took 5 of his 8 shares and 2 of another's, and the first trade's id."""
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    seller.order("ask", stock, 5, 3_500)
    seller.order("ask", stock, 8, 3_510)
    buyer.order("bid", stock, 7, 3_520, time_in_force="ioc")
    venue.match()
    return seller, buyer, buyer.get("/trades", symbol=stock)["items"][-1]["trade_id"]


def test_both_sides_are_told_what_is_theirs(traded: tuple[Caller, Caller, int]) -> None:
    seller, buyer, trade_id = traded
    bought, sold = (who.get(f"/trades/{trade_id}/explain") for who in (buyer, seller))
    assert (bought["side"], bought["liquidity"], bought["improvement"]) == ("bid", "taker", 100)
    assert (sold["side"], sold["liquidity"], sold["improvement"]) == ("ask", "maker", 0)
    assert [(level["price"], level["orders"][0]["taken"]) for level in bought["levels"]] == [(3_500, 5), (3_510, 2)]
    assert bought["book_before"] == sold["book_before"]
    assert bought["book_after"]["asks"] == [{"price": 3_510, "total_quantity": 6, "order_count": 1}]
    assert {place["order_id"] for level in bought["levels"] for place in level["orders"]} == {None}
    assert bought["order"] == buyer.get(f"/orders/{bought['order']['order_id']}")
    assert sold["levels"][0]["orders"][0]["order_id"] == sold["order"]["order_id"]


def test_it_is_ones_own_fill_or_none(venue: Venue, traded: tuple[Caller, Caller, int]) -> None:
    *_, trade_id = traded
    stranger = venue.broker()
    for path, status, code in (
        (f"/trades/{trade_id}/explain", 403, "not_your_trade"),
        ("/trades/1000000/explain", 404, "unknown_trade"),
        (f"/trades/{2**70}/explain", 404, "unknown_trade"),
        ("/trades/1000000/explain?deep=1", 404, "unknown_trade"),
        (f"/trades/{trade_id}/explain?deep=1", 403, "not_your_trade"),
    ):
        answer = stranger.call("GET", path)
        assert (answer.status_code, answer.json["code"]) == (status, code), path
    assert venue.nobody.call("GET", f"/trades/{trade_id}/explain").status_code == 401
    assert venue.admin.call("GET", f"/trades/{trade_id}/explain").json["code"] == "broker_only"


def test_what_it_does_not_read_is_refused(traded: tuple[Caller, Caller, int]) -> None:
    _, buyer, trade_id = traded
    answer = buyer.call("GET", f"/trades/{trade_id}/explain?deep=1")
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["deep"])


def test_a_suspended_broker_may_still_ask(venue: Venue, traded: tuple[Caller, Caller, int]) -> None:
    _, buyer, trade_id = traded
    venue.admin.post(f"/brokers/{buyer.broker_id}/suspend")
    assert buyer.get(f"/trades/{trade_id}/explain")["left_out"] is None
    venue.admin.post(f"/brokers/{buyer.broker_id}/activate")


def test_where_the_book_is_too_far_the_rest_is_told(
    traded: tuple[Caller, Caller, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "MOST_COMMANDS", 0)
    _, buyer, trade_id = traded
    told = buyer.get(f"/trades/{trade_id}/explain")
    assert told["left_out"]["code"] == "too_far"
    assert (told["book_before"], told["book_after"]) == (None, None)
    assert [(level["price"], level["orders"][0]["taken"]) for level in told["levels"]] == [(3_500, 5), (3_510, 2)]


def test_whoever_waits_too_long_is_told_to_come_again(
    venue: Venue, traded: tuple[Caller, Caller, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def enter(_: Any) -> None:
        raise NoPlaceError

    monkeypatch.setattr(venue.components.rebuilds._places, "enter", enter)
    _, buyer, trade_id = traded
    answer = buyer.call("GET", f"/trades/{trade_id}/explain")
    assert (answer.status_code, answer.json["code"]) == (503, "explanations_busy")
    assert answer.headers["Retry-After"] == "1"


def test_a_sandbox_that_begins_anew_keeps_no_books(venue: Venue) -> None:
    stock, seller = venue.list(), venue.broker()
    seller.order("bid", stock, 1, 3_400)
    venue.match()
    venue.run(
        "INSERT INTO book_checkpoints (stock_id, command_sequence, sequenced_at, state, order_count, orders) "
        "SELECT id, 1, now(), 'open', 0, '' FROM stocks WHERE symbol = :symbol", symbol=stock
    )  # fmt: skip
    assert venue.admin.post("/debug/reset").status_code in (200, 204)
    assert venue.scalar("SELECT count(*) FROM book_checkpoints") == 0
