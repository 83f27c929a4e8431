"""Busts over REST: who may ask for them, what is answered, and what everybody sees afterwards."""

from __future__ import annotations

import pytest

from tests.api.venue import Caller, Venue

REASON = {"reason": "a fat finger"}
LARGE = 2_000_000
"""Cents of notional above which two people decide here."""


@pytest.fixture(scope="module", autouse=True)
def small_threshold(venue: Venue) -> None:
    object.__setattr__(venue.settings.clearing, "second_person_above", LARGE)


@pytest.fixture(scope="module")
def people(venue: Venue) -> tuple[Caller, Caller]:
    return venue.person("clearing"), venue.person("clearing")


def trade(venue: Venue, quantity: int = 10, price: int = 3_500) -> tuple[int, Caller, Caller, str]:
    """A trade, its seller, its buyer and its stock."""
    stock = venue.list()
    seller, buyer = venue.broker(cash=0, shares={stock: quantity}), venue.broker()
    seller.order("ask", stock, quantity, price)
    buyer.order("bid", stock, quantity, price)
    venue.match()
    return venue.scalar("SELECT max(id) FROM trades"), seller, buyer, stock


def test_a_bust_is_done_and_everybody_sees_it(venue: Venue, people: tuple[Caller, Caller]) -> None:
    number, _, buyer, stock = trade(venue)
    with venue.matching():
        answer = people[0].post(f"/trades/{number}/bust", REASON)
    assert answer.status_code == 201
    bust = answer.json
    assert (bust["trade_id"], bust["status"], bust["symbol"]) == (number, "done", stock)
    assert (bust["asked_by"], bust["reason"], bust["shortfalls"]) == (people[0].username, "a fat finger", [])
    assert venue.nobody.get(f"/stocks/{stock}/price")["last_price"] is None
    (on_tape,) = venue.nobody.get(f"/stocks/{stock}/trades")["items"]
    assert (on_tape["busted"], on_tape["price"], on_tape["adjusted_from"]) == (True, 3_500, None)
    events = venue.nobody.get(f"/stocks/{stock}/events")["items"]
    assert [event["event"] for event in events] == ["TRADE_EXECUTED", "TRADE_BUSTED"]
    assert events[1]["payload"]["trade_id"] == number
    (fill,) = buyer.get("/trades")["items"]
    assert fill["busted"] is True
    (order,) = buyer.get("/orders")["items"]
    assert (order["status"], order["filled_quantity"], order["busted_quantity"]) == ("filled", 10, 10)
    assert buyer.get("/balance")["available"] == 100_000_000
    own = buyer.get("/account/events")["items"]
    assert [event["event"] for event in own] == ["ORDER_OPENED", "ORDER_FILLED", "TRADE_BUSTED"]
    payload = own[2]["payload"]
    assert (payload["trade_id"], payload["side"], payload["price"], payload["quantity"]) == (number, "bid", 3_500, 10)
    assert (payload["account_sequence"], payload["reason"]) == (3, "a fat finger")


def test_a_trade_can_stand_at_another_price(venue: Venue, people: tuple[Caller, Caller]) -> None:
    number, _, buyer, stock = trade(venue)
    with venue.matching():
        assert people[0].post(f"/trades/{number}/bust", {**REASON, "price": 3_400}).status_code == 201
        again = people[1].post(f"/trades/{number}/bust", REASON)
    assert (again.status_code, again.json["code"]) == (409, "already_busted")
    (fill,) = buyer.get("/trades")["items"]
    assert (fill["price"], fill["adjusted_from"], fill["busted"]) == (3_400, 3_500, False)
    (on_tape,) = venue.nobody.get(f"/stocks/{stock}/trades")["items"]
    assert (on_tape["price"], on_tape["adjusted_from"]) == (3_400, 3_500)
    assert venue.nobody.get(f"/stocks/{stock}/price")["last_price"] == 3_400
    event = buyer.get("/account/events")["items"][-1]
    assert (event["event"], event["payload"]["old_price"], event["payload"]["price"]) == (
        "TRADE_ADJUSTED",
        3_500,
        3_400,
    )
    assert buyer.get("/portfolio")["positions"][0]["average_cost"] == 3_400


def test_above_the_threshold_a_second_person_confirms(venue: Venue) -> None:
    asker, other = venue.person("clearing"), venue.person("clearing")
    number, *_ = trade(venue, 1_000)
    with venue.matching():
        asked = asker.post(f"/trades/{number}/bust", REASON)
        assert (asked.status_code, asked.json["status"]) == (202, "needs_confirmation")
        assert asked.json["expires_at"] is not None
        bust = f"/busts/{asked.json['bust_id']}/confirm"
        refused = asker.post(bust)
        assert (refused.status_code, refused.json["code"]) == (403, "second_person_needed")
        refused = venue.admin.post(bust)
        assert (refused.status_code, refused.json["code"]) == (403, "second_person_needed")
        confirmed = other.post(bust)
        assert (confirmed.status_code, confirmed.json["status"]) == (200, "done")
        assert (confirmed.json["asked_by"], confirmed.json["confirmed_by"]) == (asker.username, other.username)
        again = other.post(bust)
    assert (again.status_code, again.json["code"]) == (409, "already_busted")


def test_one_is_rejected_and_the_trade_stands(venue: Venue) -> None:
    asker, other = venue.person("clearing"), venue.person("clearing")
    number, *_ = trade(venue, 1_000)
    with venue.matching():
        bust_id = asker.post(f"/trades/{number}/bust", REASON).json["bust_id"]
    rejected = other.post(f"/busts/{bust_id}/reject", {"reason": "it was meant"})
    assert (rejected.status_code, rejected.json["status"]) == (200, "rejected")
    assert (rejected.json["rejected_by"], rejected.json["rejection"]) == (other.username, "it was meant")
    for act in ("confirm", "reject"):
        late = other.post(f"/busts/{bust_id}/{act}", {"reason": "no"} if act == "reject" else None)
        assert (late.status_code, late.json["code"]) == (409, "bust_decided")


def test_the_administrators_key_busts_below_the_threshold_only(venue: Venue) -> None:
    small, large = trade(venue)[0], trade(venue, 1_000)[0]
    with venue.matching():
        assert venue.admin.post(f"/trades/{small}/bust", REASON).status_code == 201
        refused = venue.admin.post(f"/trades/{large}/bust", REASON)
    assert (refused.status_code, refused.json["code"]) == (403, "second_person_needed")


def test_outside_the_window_nothing_is_busted(venue: Venue, people: tuple[Caller, Caller]) -> None:
    number, *_ = trade(venue)
    venue.run("UPDATE trades SET executed_at = executed_at - interval '1 hour' WHERE id = :id", id=number)
    with venue.matching():
        refused = people[0].post(f"/trades/{number}/bust", REASON)
    venue.run("UPDATE trades SET executed_at = executed_at + interval '1 hour' WHERE id = :id", id=number)
    assert (refused.status_code, refused.json["code"]) == (409, "bust_window_passed")


@pytest.mark.parametrize("role", ["trader", "operator"])
def test_only_clearing_decides(venue: Venue, role: str) -> None:
    """The role is looked at before what the path names, and before the body."""
    somebody = venue.person(role)
    for path in ("/trades/999999999/bust", "/busts/999999999/confirm", "/busts/999999999/reject", "/clearing/bust"):
        refused = somebody.post(path, {"nonsense": True})
        assert (refused.status_code, refused.json["code"]) == (403, "role_missing")
    for path in ("/clearing/busts", "/clearing/guarantee"):
        assert somebody.call("GET", path).status_code == 403
    refused = venue.broker().post("/trades/999999999/bust", REASON)
    assert (refused.status_code, refused.json["code"]) == (403, "admin_only")


def test_what_does_not_exist_is_unknown(people: tuple[Caller, Caller]) -> None:
    unknown = people[0].post("/trades/999999999/bust", {"nonsense": True})
    assert (unknown.status_code, unknown.json["code"]) == (404, "unknown_trade")
    for act in ("confirm", "reject"):
        unknown = people[0].post(f"/busts/999999999/{act}", REASON if act == "reject" else None)
        assert (unknown.status_code, unknown.json["code"]) == (404, "unknown_bust")
    unknown = people[0].post(f"/trades/{2**63}/bust", REASON)
    assert (unknown.status_code, unknown.json["code"]) == (404, "unknown_trade")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"reason": ""}, "invalid_request"),
        ({"reason": "x" * 501}, "invalid_request"),
        ({"reason": "no", "price": 0}, "invalid_request"),
        ({"reason": "no", "price": True}, "invalid_request"),
        ({"reason": "no", "price": 3_500}, "unchanged_price"),
        ({"reason": "no", "colour": "red"}, "invalid_request"),
    ],
)
def test_a_wrong_body_is_refused(venue: Venue, people: tuple[Caller, Caller], body: object, code: str) -> None:
    number, *_ = trade(venue)
    refused = people[0].post(f"/trades/{number}/bust", body)
    assert (refused.status_code, refused.json["code"]) == (422, code)
    assert venue.scalar("SELECT count(*) FROM busts WHERE trade_id = :id", id=number) == 0


def test_while_nobody_matches_it_waits_for_its_turn(venue: Venue, people: tuple[Caller, Caller]) -> None:
    number, *_ = trade(venue)
    asked = people[0].post(f"/trades/{number}/bust", REASON)
    assert (asked.status_code, asked.json["status"]) == (202, "requested")
    venue.match()
    assert venue.scalar("SELECT status FROM busts WHERE id = :id", id=asked.json["bust_id"]) == "done"


def test_a_range_is_busted_in_one_go(venue: Venue) -> None:
    stock = venue.list()
    seller, buyer = venue.broker(cash=0, shares={stock: 100}), venue.broker()
    for price in (3_500, 3_510, 3_520):
        seller.order("ask", stock, 1, price)
        buyer.order("bid", stock, 1, price)
        venue.match()
    times = [item["executed_at"] for item in venue.nobody.get(f"/stocks/{stock}/trades")["items"]]
    body = {"symbol": stock, "from": times[1], "to": "2100-01-01T00:00:00Z", **REASON}
    with venue.matching():
        answer = venue.person("clearing").post("/clearing/bust", body)
    assert answer.status_code == 202
    assert [bust["status"] for bust in answer.json["busts"]] == ["done", "done"]
    assert len({bust["range_id"] for bust in answer.json["busts"]}) == 1
    assert venue.nobody.get(f"/stocks/{stock}/price")["last_price"] == 3_500
    with venue.matching():
        nothing = venue.admin.post("/clearing/bust", body)
    assert (nothing.status_code, nothing.json) == (202, {"busts": []})


def test_the_lists_are_for_those_who_decide(venue: Venue, people: tuple[Caller, Caller]) -> None:
    number, *_, stock = trade(venue, 1_000)
    with venue.matching():
        bust_id = venue.person("clearing").post(f"/trades/{number}/bust", REASON).json["bust_id"]
    (found,) = people[1].get("/clearing/busts", symbol=stock)["items"]
    assert (found["bust_id"], found["status"]) == (bust_id, "needs_confirmation")
    waiting = people[1].get("/clearing/busts", status="needs_confirmation")["items"]
    assert bust_id in [bust["bust_id"] for bust in waiting]
    page = people[1].get("/clearing/busts", limit=1)
    assert len(page["items"]) == 1
    assert page["next_cursor"] is not None
    venue.run("UPDATE busts SET asked_at = asked_at - interval '1 hour' WHERE id = :id", id=bust_id)
    (found,) = people[1].get("/clearing/busts", symbol=stock)["items"]
    assert found["status"] == "expired"


def test_what_is_advanced_is_what_is_owed(venue: Venue, people: tuple[Caller, Caller]) -> None:
    number, seller, _, stock = trade(venue)
    other = venue.list()
    venue.broker(cash=0, shares={other: 10}).order("ask", other, 10, 3_500)
    seller.order("bid", other, 10, 3_500)
    venue.match()
    with venue.matching():
        bust = people[0].post(f"/trades/{number}/bust", REASON).json
    (lack,) = bust["shortfalls"]
    assert lack == {
        "broker_id": seller.broker_id,
        "asset": "cash",
        "owed": 35_000,
        "taken_available": 0,
        "missing": 35_000,
        "advanced": 35_000,
        "orders_cancelled": [],
    }
    guarantee = people[0].get("/clearing/guarantee")
    mine = [each for each in guarantee["receivables"] if each["broker_id"] == seller.broker_id]
    assert [(each["asset"], each["amount"]) for each in mine] == [("cash", 35_000)]
    assert guarantee["advanced"] == sum(each["worth"] for each in guarantee["receivables"])
    balance = seller.get("/balance")
    assert (balance["owed"], balance["available"], balance["status"]) == (35_000, 0, "close_only")
    refused = seller.post(
        "/orders", {"document_number": "1", "side": "bid", "symbol": stock, "quantity": 1, "price": 3_500}
    )
    assert (refused.status_code, refused.json["code"]) == (403, "broker_close_only")


def test_each_act_is_audited(venue: Venue, people: tuple[Caller, Caller]) -> None:
    number, *_ = trade(venue)
    with venue.matching():
        people[0].post(f"/trades/{number}/bust", REASON)
    (entry,) = venue.admin.get("/audit", target=f"trade:{number}")["items"]
    assert (entry["action"], entry["actor"]["name"], entry["after"]["reason"]) == (
        "trade.bust",
        people[0].username,
        "a fat finger",
    )
