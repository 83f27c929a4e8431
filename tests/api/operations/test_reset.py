"""A sandbox begins again."""

from __future__ import annotations

import threading

import pytest

from database.session import transaction
from services.operations.reset import reset_exchange
from services.verify import verify
from tests.api.venue import Venue, an_order


def test_everything_but_who_is_there_is_forgotten(venue: Venue) -> None:
    stock = venue.list()
    buyer = venue.broker(cash=1_000_000, shares={stock: 5})
    seller = venue.broker(cash=77, shares={stock: 100}, credit_limit=10**9)
    buyer.order("bid", stock, 100, 3_600, client_order_id="kept?")
    seller.order("ask", stock, 60, 3_400)
    venue.match()
    seller.order("ask", stock, 5, 3_700)
    venue.run("UPDATE stocks SET state = 'halted' WHERE symbol = :s", s=stock)
    assert venue.admin.get("/debug/trade-count") == {"trade_count": 1}

    answer = venue.admin.post("/debug/reset")

    assert (answer.status_code, answer.data) == (204, b"")
    assert venue.admin.get("/debug/trade-count") == {"trade_count": 0}
    assert {"balance": 0, "available": 1_000_000, "reserved": 0}.items() <= buyer.get("/balance").items()
    (position,) = buyer.get("/portfolio")["positions"]
    assert (position["available"], position["reserved"], position["average_cost"]) == (5, 0, 3_500)
    shown = venue.admin.get(f"/stocks/{stock}")
    assert (shown["state"], shown["last_price"], shown["reference_price"]) == ("open", None, 3_500)
    assert (shown["best_bid"], shown["best_ask"]) == (None, None)
    for path in ("/orders", "/trades", f"/stocks/{stock}/trades", f"/stocks/{stock}/events"):
        assert buyer.get(path)["items"] == []
    assert buyer.get(f"/stocks/{stock}/book") == {
        "symbol": stock, "epoch": buyer.get("/config")["epoch"], "depth": 10, "book_sequence": 0, "sequence": 0,
        "bids": [], "asks": [],
    }  # fmt: skip
    with transaction(venue.engine) as session:
        assert not [finding for check in verify(session, replay=True).checks for finding in check.findings]


def test_whoever_owed_something_owes_nothing(venue: Venue) -> None:
    stock = venue.list()
    seller, buyer = venue.broker(cash=0, shares={stock: 10}), venue.broker()
    seller.order("ask", stock, 10, 3_500)
    buyer.order("bid", stock, 10, 3_500)
    venue.match()
    body = {"reference": "out", "cash": 35_000}
    assert venue.admin.post(f"/brokers/{seller.broker_id}/withdraw", body).status_code == 201
    number = venue.scalar("SELECT max(id) FROM trades")
    with venue.matching():
        assert venue.admin.post(f"/trades/{number}/bust", {"reason": "a fat finger"}).status_code == 201
    assert seller.get("/balance")["owed"] == 35_000
    venue.admin.post(f"/brokers/{seller.broker_id}/deposit", {"reference": "back", "cash": 35_000, "positions": {}})
    venue.admin.post("/debug/reset")
    balance = seller.get("/balance")
    assert (balance["owed"], balance["available"], balance["status"]) == (0, 0, "active")
    assert venue.admin.get("/clearing/busts")["items"] == []
    assert venue.admin.get("/clearing/guarantee")["advanced"] == 0
    seller.order("ask", stock, 10, 3_500)
    with transaction(venue.engine) as session:
        assert not [finding for check in verify(session, replay=True).checks for finding in check.findings]


def test_the_worker_goes_on_with_an_empty_book(venue: Venue) -> None:
    stock = venue.list()
    buyer, seller = venue.broker(), venue.broker(shares={stock: 100})
    buyer.order("bid", stock, 10, 3_500, client_order_id="once")
    venue.match()
    venue.admin.post("/debug/reset")
    seller.order("ask", stock, 10, 3_500)
    venue.match()
    assert venue.admin.get("/debug/trade-count") == {"trade_count": 0}
    assert buyer.post("/orders", an_order("bid", stock, 10, client_order_id="once")).status_code == 201
    venue.match()
    (event,) = buyer.get(f"/stocks/{stock}/events")["items"]
    assert event["sequence"] == 1
    assert venue.admin.get("/debug/trade-count") == {"trade_count": 1}


def test_whoever_is_placing_comes_before_or_after(venue: Venue) -> None:
    stock = venue.list()
    broker = venue.broker(cash=10**12, shares={stock: 10**6})
    statuses: list[int] = []

    def place() -> None:
        for _ in range(30):
            statuses.append(broker.post("/orders", an_order("bid", stock, 1)).status_code)

    threads = [threading.Thread(target=place) for _ in range(3)]
    for thread in threads:
        thread.start()
    with venue.matching():
        for _ in range(5):
            assert venue.admin.post("/debug/reset").status_code in (204, 503)
    for thread in threads:
        thread.join()
    venue.match()
    assert set(statuses) <= {201, 503}
    assert statuses.count(201) > 60
    with transaction(venue.engine) as session:
        assert not [finding for check in verify(session, replay=True).checks for finding in check.findings]


def test_withdrawals_stay_withdrawn(venue: Venue) -> None:
    broker = venue.broker(cash=1_000)
    venue.run(
        "INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket)"
        " VALUES ('withdrawal', 1, 300, :id, 'available', :id, 'outside')",
        id=broker.broker_id,
    )
    venue.run("UPDATE balances SET available = 700 WHERE broker_id = :id AND asset_id = 1", id=broker.broker_id)
    with transaction(venue.engine) as session:
        reset_exchange(session)
    assert broker.get("/balance")["available"] == 700


def test_where_the_owner_of_the_tables_knows_no_sandbox_there_is_nothing_here(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    """Debugging was switched on after the last `minex migrate`."""
    venue.run("REVOKE EXECUTE ON FUNCTION reset_exchange() FROM minex_process")
    try:
        answer = venue.admin.post("/debug/reset")
    finally:
        venue.run("GRANT EXECUTE ON FUNCTION reset_exchange() TO minex_process")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert "minex migrate" in caplog.text
    assert venue.admin.post("/debug/reset").status_code == 204
