"""What the rules say of trades, and who lets one stand that breaks a rule."""

from __future__ import annotations

import pytest

from tests.api.venue import Caller, Venue


@pytest.fixture
def large(venue: Venue) -> tuple[int, str]:
    """A trade that breaks a rule, and its stock, in which there is a fair one, too."""
    stock = venue.list()
    seller, buyer = venue.broker(cash=0, shares={stock: 200}), venue.broker()
    for quantity in (1, 100):
        seller.order("ask", stock, quantity, 3_600)
        buyer.order("bid", stock, quantity, 3_600)
        venue.match()
    return venue.scalar("SELECT max(id) FROM trades"), stock


@pytest.fixture(scope="module")
def person(venue: Venue) -> Caller:
    return venue.person("clearing")


def test_each_trade_has_its_verdict(venue: Venue, person: Caller, large: tuple[int, str]) -> None:
    number, stock = large
    assert not any(trade["is_judged"] for trade in person.get("/clearing/trades", symbol=stock)["items"])
    venue.judge(notional_above=100_000)
    newest, oldest = person.get("/clearing/trades", symbol=stock)["items"]
    assert (newest["trade_id"], newest["verdict"], newest["rule"]) == (number, "flagged", "size")
    assert newest["broken"] == [{"rule": "size", "action": "refer", "notional": 360_000, "limit": 100_000}]
    assert (newest["reference"], newest["deviation_bps"], newest["notional"]) == (3_500, 285, 360_000)
    assert newest["window_ends_at"] > newest["executed_at"]
    assert (oldest["verdict"], oldest["rule"], oldest["broken"]) == ("ok", None, [])
    for verdict, found in (("flagged", [number]), ("ok", [oldest["trade_id"]]), ("busted", [])):
        trades = person.get("/clearing/trades", symbol=stock, verdict=verdict)["items"]
        assert [trade["trade_id"] for trade in trades] == found
    page = person.get("/clearing/trades", symbol=stock, limit=1)
    (second,) = person.get("/clearing/trades", symbol=stock, limit=1, cursor=page["next_cursor"])["items"]
    assert second["trade_id"] == oldest["trade_id"]


def test_one_that_breaks_a_rule_stands_when_somebody_says_so(
    venue: Venue, person: Caller, large: tuple[int, str]
) -> None:
    number, stock = large
    venue.judge(notional_above=100_000)
    path = f"/clearing/trades/{number}/stand"
    stands = person.post(path, {"reason": "the price was agreed"})
    assert (stands.status_code, stands.json["verdict"]) == (200, "ok")
    assert (stands.json["rule"], stands.json["stands_by"]) == ("size", person.username)
    assert person.get("/clearing/trades", symbol=stock, verdict="flagged")["items"] == []
    again = person.post(path, {"reason": "again"})
    assert (again.status_code, again.json["code"]) == (409, "not_flagged")
    (entry,) = venue.admin.get("/audit", target=f"trade:{number}")["items"]
    assert (entry["action"], entry["actor"]["name"]) == ("trade.stand", person.username)


def test_one_that_was_busted_does_not_stand(venue: Venue, person: Caller, large: tuple[int, str]) -> None:
    number, stock = large
    venue.judge(notional_above=100_000)
    with venue.matching():
        assert person.post(f"/trades/{number}/bust", {"reason": "a fat finger"}).status_code == 201
    assert person.get("/clearing/trades", symbol=stock, verdict="busted")["items"][0]["trade_id"] == number
    assert person.get("/clearing/trades", symbol=stock, verdict="flagged")["items"] == []
    refused = person.post(f"/clearing/trades/{number}/stand", {"reason": "late"})
    assert (refused.status_code, refused.json["code"]) == (409, "already_busted")
    unknown = person.post("/clearing/trades/999999999/stand", {"reason": "late"})
    assert (unknown.status_code, unknown.json["code"]) == (404, "unknown_trade")
