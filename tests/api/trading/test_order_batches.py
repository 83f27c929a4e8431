"""Batches: every order has its own answer, in order, and nothing else changes for it."""

from __future__ import annotations

import gc
from collections.abc import Callable

import psycopg
import pytest
from psycopg.errors import NumericValueOutOfRange
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.test import TestResponse

from services.order_entry.placing.place import place_orders
from tests.api.venue import Venue, an_order, settings_for

BATCH = "/orders/batch"


def statuses(answer):
    assert answer.status_code == 200, answer.text
    return [result["status"] for result in answer.json["results"]]


def test_each_order_is_answered_as_if_it_had_come_alone(venue: Venue) -> None:
    stock = venue.list()
    broker = venue.broker(cash=1_000_000, shares={stock: 50})
    requests = [
        an_order("bid", stock, 100, 3_500, client_order_id="one"),
        an_order("bid", stock, 0, 3_500),
        an_order("bid", "NOSUCH", 100, 3_500),
        an_order("bid", stock, 500, 3_500),
        an_order("ask", stock, 50, 3_500),
        an_order("ask", stock, 50, 3_500),
        "no order",
        an_order("bid", stock, 100, 3_500, client_order_id="one"),
        an_order("bid", stock, 101, 3_500, client_order_id="one"),
        {**an_order("bid", stock), "broker_id": 1},
    ]
    answer = broker.post(BATCH, {"orders": requests})
    assert statuses(answer) == [201, 422, 404, 422, 201, 422, 422, 200, 422, 422]
    first, *_ = results = answer.json["results"]
    assert first == {
        "status": 201,
        "order": {"order_id": first["order"]["order_id"], "status": "pending", "client_order_id": "one"},
    }
    assert results[7]["order"] == first["order"]
    codes = [result["problem"]["code"] for result in results if "problem" in result]
    assert codes == [
        "invalid_request", "unknown_stock", "insufficient_funds", "insufficient_shares", "invalid_request",
        "client_order_id_reused", "invalid_request",
    ]  # fmt: skip
    assert list(results[1]["problem"]["errors"]) == ["quantity"]
    assert list(results[9]["problem"]["errors"]) == ["broker_id"]
    assert broker.get("/balance")["reserved"] == 350_000


def test_who_has_as_many_open_orders_as_he_may_have_hears_which_limit_it_is(
    new_database: Callable[[], str], redis_url: str
) -> None:
    venue = Venue(settings_for(new_database(), redis_url, limits={"open_orders": 3, "open_orders_per_stock": 2}))
    try:
        stock, other = venue.list(), venue.list()
        broker = venue.broker()
        bid = an_order("bid", stock, 1, 3_500)
        answer = broker.post(BATCH, {"orders": [bid, bid, bid, an_order("bid", other, 1, 3_500)]})
        assert statuses(answer) == [201, 201, 422, 201]
        problem = answer.json["results"][2]["problem"]
        assert problem["code"] == "too_many_open_orders"
        assert (problem["limit"], problem["most"], problem["errors"]) == ("open_orders_per_stock", 2, {})
        refused = broker.post("/orders", an_order("bid", other, 1, 3_500))
        assert (refused.status_code, refused.json["code"], refused.json["limit"]) == (
            422,
            "too_many_open_orders",
            "open_orders",
        )
        assert broker.get("/balance")["reserved"] == 3 * 3_500
    finally:
        venue.close()


def test_a_batch_is_matched_like_single_orders(venue: Venue) -> None:
    stock = venue.list()
    seller, buyer = venue.broker(shares={stock: 100}), venue.broker()
    assert (
        statuses(seller.post(BATCH, {"orders": [an_order("ask", stock, 50, 3_500 + n) for n in (1, 0)]})) == [201] * 2
    )
    answer = buyer.post(BATCH, {"orders": [an_order("bid", stock, 50, 3_501)] * 2})
    venue.match()
    fills = [buyer.get(f"/orders/{one['order']['order_id']}")["average_price"] for one in answer.json["results"]]
    assert fills == [3_500, 3_501]


def test_five_hundred_orders_at_once_and_in_order(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker(cash=10**12)
    answer = broker.post(BATCH, {"orders": [an_order("bid", stock, 1 + n, 3_500) for n in range(500)]})
    ids = [result["order"]["order_id"] for result in answer.json["results"]]
    assert ids == sorted(ids)
    venue.match()
    sequences = "SELECT array_agg(quantity ORDER BY sequence) FROM orders WHERE broker_id = :id"
    assert venue.scalar(sequences, id=broker.broker_id) == [1 + n for n in range(500)]


@pytest.mark.parametrize("orders", [[], [{}] * 501, {}, None, "orders", 1])
def test_no_batch(venue: Venue, orders: object) -> None:
    answer = venue.broker().post(BATCH, {"orders": orders})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["orders"])


def test_it_may_be_larger_than_a_single_order(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker(cash=10**12)
    padded = [an_order("bid", stock, 1, 3_500, client_order_id=f"{n:064}") for n in range(500)]
    assert statuses(broker.post(BATCH, {"orders": padded})) == [201] * 500
    too_large = broker.call("POST", BATCH, data=b" " * 1_048_577, headers={"Content-Type": "application/json"})
    assert (too_large.status_code, too_large.json["limit"]) == (413, 1_048_576)


def test_a_batch_takes_as_much_from_its_bucket_as_it_has_orders(database_url: str, redis_url: str) -> None:
    venue = Venue(settings_for(database_url, redis_url, limits={"orders_per_second": 10}))
    stock, broker = venue.list(), venue.broker()
    answer = broker.post(BATCH, {"orders": [an_order("bid", stock)] * 8})
    assert statuses(answer) == [201] * 8
    assert answer.headers["RateLimit-Remaining"] == "2"
    for number, refused in ((9, (429, "too_many_requests")), (11, (422, "batch_too_large"))):
        too_many = broker.post(BATCH, {"orders": [an_order("bid", stock)] * number})
        assert (too_many.status_code, too_many.json["code"]) == refused
    assert venue.scalar("SELECT count(*) FROM orders WHERE broker_id = :id", id=broker.broker_id) == 8
    venue.match()
    venue.close()


def test_a_suspended_broker_places_nothing(venue: Venue) -> None:
    broker = venue.broker()
    venue.run("UPDATE brokers SET status = 'suspended' WHERE id = :id", id=broker.broker_id)
    assert broker.post(BATCH, {"orders": [an_order()]}).status_code == 403


def test_without_a_database_the_whole_batch_is_refused(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    stock, broker = venue.list(), venue.broker()

    def gone(*_: object) -> None:
        raise OperationalError("place", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr("api.intake.intake.place_orders", gone)
        answer = broker.post(BATCH, {"orders": [an_order("bid", stock)] * 3})
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert answer.headers["Retry-After"]


def place_but_13(venue: Venue, monkeypatch: pytest.MonkeyPatch, error: Exception, *, stored: bool) -> TestResponse:
    """The answer to a batch with an order that raises `error`, after the others are `stored`, or before."""
    stock, broker = venue.list(), venue.broker()

    def fragile(commit: object, orders: list, *rest: object) -> object:
        placed = place_orders(commit, orders, *rest) if stored else []
        if any(order.request.quantity == 13 for order in orders):
            raise error
        return placed or place_orders(commit, orders, *rest)

    with monkeypatch.context() as patch:
        patch.setattr("api.intake.intake.place_orders", fragile)
        return broker.post(BATCH, {"orders": [an_order("bid", stock, quantity) for quantity in (1, 13, 2)]})


def test_an_order_that_breaks_the_statement_breaks_no_other(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = DBAPIError.instance("place", {}, NumericValueOutOfRange(), psycopg.Error)
    answer = place_but_13(venue, monkeypatch, refused, stored=False)
    assert statuses(answer) == [201, 500, 201]
    assert answer.json["results"][1]["problem"]["code"] == "internal_error"


def test_after_a_fault_of_ours_nothing_is_stored_again(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    before = venue.scalar("SELECT count(*) FROM orders")
    answer = place_but_13(venue, monkeypatch, ValueError("thirteen"), stored=True)
    assert (answer.status_code, answer.json["code"]) == (503, "outcome_unknown")
    assert venue.scalar("SELECT count(*) FROM orders") == before + 3


def test_very_many_unknown_members_are_not_answered_by_as_many_sentences(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    strange = {f"member_{n:03}_{'x' * 30}": 1 for n in range(1_000)}
    answer = broker.post(BATCH, {"orders": [{**an_order("bid", stock), **strange}, an_order("bid", stock)]})
    assert statuses(answer) == [422, 201]
    errors = answer.json["results"][0]["problem"]["errors"]
    assert len(errors) == 21
    assert errors["…"] == ["And 980 more."]
    assert len(answer.data) < 5_000
    alone = broker.post("/orders", {**an_order("bid", stock), **strange})
    assert alone.json["errors"] == errors


def test_a_batch_is_charged_before_it_is_checked(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = Venue(settings_for(database_url, redis_url, limits={"orders_per_second": 10}))
    stock, broker = venue.list(), venue.broker()
    assert statuses(broker.post(BATCH, {"orders": [an_order("bid", stock, 0)] * 10})) == [422] * 10
    monkeypatch.setattr("api.trading.batch_schemas._checked", lambda order: pytest.fail("it was looked at"))
    for count, refusal in ((11, (422, "batch_too_large")), (10, (429, "too_many_requests"))):
        answer = broker.post(BATCH, {"orders": [an_order("bid", stock)] * count})
        assert (answer.status_code, answer.json["code"]) == refusal
    venue.close()


def test_a_client_order_id_that_is_used_again_is_named_though_nobody_has_listed_the_stock(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    broker.order("bid", stock, 10, 3_500, client_order_id="mine")
    strange = an_order("bid", "NOSUCH", 10, client_order_id="mine")
    answer = broker.post(BATCH, {"orders": [strange, {**strange, "client_order_id": "new"}, an_order("bid", "NOSUCH")]})
    codes = [result["problem"]["code"] for result in answer.json["results"]]
    assert codes == ["client_order_id_reused", "unknown_stock", "unknown_stock"]


@pytest.mark.parametrize(
    "change", [{"quantity": 0}, {f"member{n}": n for n in range(60)}, {"symbol": "NOSUCH"}, {"price": 1}]
)
def test_refusals_leave_nothing_to_the_garbage_collector(venue: Venue, change: dict[str, object]) -> None:
    """While it clears away the loop stands still, for everybody."""
    broker, stock = venue.broker(), venue.list()
    orders = {"orders": [an_order("bid", stock, 100, 3_500) | change] * 500}
    broker.post(BATCH, orders)
    gc.collect()
    gc.disable()
    try:
        assert set(statuses(broker.post(BATCH, orders))) <= {404, 422}
        assert gc.collect() < 1_000
    finally:
        gc.enable()
