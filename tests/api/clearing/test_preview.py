"""What a bust would do is shown beforehand, and nothing of it is done."""

from __future__ import annotations

from tests.api.venue import Caller, Venue

REASON = {"reason": "a fat finger"}


def state(venue: Venue) -> list[object]:
    return [
        venue.scalar(f"SELECT json_agg(t ORDER BY t) FROM (SELECT CAST({table} AS text) AS t FROM {table}) AS r")
        for table in ("balances", "busts", "trades", "transfers", "commands", "account_events", "brokers")
    ]


def spent(venue: Venue) -> tuple[int, Caller, Caller, str, list[int]]:
    """A trade whose seller has spent the money, and has two bids that reserve some of it."""
    stock, other = venue.list(), venue.list()
    seller, buyer = venue.broker(cash=0, shares={stock: 100}), venue.broker()
    seller.order("ask", stock, 100, 3_500)
    buyer.order("bid", stock, 100, 3_500)
    venue.match()
    number = venue.scalar("SELECT max(id) FROM trades")
    venue.broker(cash=0, shares={other: 50}).order("ask", other, 50, 3_500)
    seller.order("bid", other, 50, 3_500)
    bids = [seller.order("bid", other, 10, price) for price in (3_300, 3_310)]
    venue.match()
    return number, seller, buyer, stock, bids


def test_a_preview_says_what_the_bust_then_does(venue: Venue) -> None:
    number, seller, buyer, _, bids = spent(venue)
    person = venue.person("clearing")
    before = state(venue)
    seen = person.post(f"/trades/{number}/bust", {**REASON, "dry_run": True})
    assert seen.status_code == 200
    assert state(venue) == before
    preview = seen.json
    assert (preview["status"], preview["broker_id"], preview["asset"]) == ("done", seller.broker_id, "cash")
    assert (preview["owed"], preview["taken_available"], preview["advanced"]) == (350_000, 108_900, 241_100)
    assert [order["order_id"] for order in preview["orders_to_cancel"]] == bids[::-1]
    assert (preview["stays_owed"], preview["status_after"]) == (241_100 - 66_100, "close_only")
    assert (preview["shares"]["broker_id"], preview["shares"]["advanced"]) == (buyer.broker_id, 0)
    assert preview["market_data"]["before"]["last_price"] == 3_500
    assert preview["market_data"]["before"]["candle"]["trade_count"] == 1
    assert preview["market_data"]["after"]["last_price"] is None
    assert preview["market_data"]["after"]["candle"]["trade_count"] == 0
    with venue.matching():
        done = person.post(f"/trades/{number}/bust", REASON).json
    (lack,) = done["shortfalls"]
    assert (lack["owed"], lack["taken_available"], lack["advanced"]) == (350_000, 108_900, 241_100)
    assert lack["orders_cancelled"] == bids[::-1]
    venue.match()
    assert seller.get("/balance")["owed"] == preview["stays_owed"]


def test_the_second_person_sees_it_too(venue: Venue) -> None:
    number, *_ = spent(venue)
    asker, other = venue.person("clearing"), venue.person("clearing")
    object.__setattr__(venue.settings.clearing, "second_person_above", 1_000)
    with venue.matching():
        assert asker.post(f"/trades/{number}/bust", {**REASON, "price": 3_400}).json["status"] == "needs_confirmation"
    before = state(venue)
    preview = other.post(f"/trades/{number}/bust", {**REASON, "dry_run": True}).json
    object.__setattr__(venue.settings.clearing, "second_person_above", 100_000_000)
    assert state(venue) == before
    assert (preview["status"], preview["new_price"], preview["owed"]) == ("needs_confirmation", 3_400, 10_000)
    assert preview["market_data"]["after"]["last_price"] == 3_400


def test_one_that_is_done_has_none(venue: Venue) -> None:
    number, *_ = spent(venue)
    with venue.matching():
        venue.admin.post(f"/trades/{number}/bust", REASON)
    refused = venue.admin.post(f"/trades/{number}/bust", {**REASON, "dry_run": True})
    assert (refused.status_code, refused.json["code"]) == (409, "already_busted")
