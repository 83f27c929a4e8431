"""Given brokers that pay for trading, then order, fill, statement, balance and history say the same, to the cent."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from database.session import transaction
from services.accounts.fee_terms import count_turnover
from tests.api.browser import told
from tests.api.venue import Caller, Venue

TIERS = ("2000000:4:8", "35000000:1:2")


def charged(venue: Venue, broker: Caller, **rates: int | None) -> Any:
    return venue.admin.put(f"/brokers/{broker.broker_id}/fees", rates)


@pytest.fixture
def tiered(venue: Venue) -> Any:
    """A venue whose brokers pay 10 and 20 basis points, or what their tier says."""
    fees = venue.settings.fees
    kept = {name: getattr(fees, name) for name in ("maker_bps", "taker_bps", "tiers")}
    for name, value in {"maker_bps": 10, "taker_bps": 20, "tiers": TIERS}.items():
        object.__setattr__(fees, name, value)  # the settings of this venue alone
    yield venue
    for name, value in kept.items():
        object.__setattr__(fees, name, value)


class TestWhatOrdersPay:
    def test_order_fills_statement_and_balance_say_the_same(self, venue: Venue) -> None:
        stock = venue.list(reference_price=1_000)
        buyer, seller = venue.broker(cash=10**7), venue.broker(shares={stock: 1_000})
        charged(venue, buyer, maker_bps=5, taker_bps=10)
        seller.order("ask", stock, 300, 1_001)
        order_id = buyer.order("bid", stock, 1_000, 1_001)
        venue.match()
        seller.order("ask", stock, 700, 1_001)
        venue.match()
        order = buyer.get(f"/orders/{order_id}")
        assert [(fill["fee"], fill["liquidity"]) for fill in order["trades"]] == [(301, "taker"), (350, "maker")]
        assert order["fee"] == 651 == sum(fill["fee"] for fill in buyer.get("/trades")["items"])
        assert {fill["liquidity"] for fill in seller.get("/trades")["items"]} == {"maker", "taker"}
        lines = buyer.get("/transfers")["items"]
        assert [(line["kind"], line["amount"]) for line in lines] == [
            ("deposit", 10**7), ("trade", -300_300), ("fee", -301), ("trade", -700_700), ("fee", -350),
        ]  # fmt: skip
        assert [line["order_id"] for line in lines if line["kind"] == "fee"] == [order_id, order_id]
        assert len({line["transfer_id"] for line in lines}) == 5
        assert [line["amount"] for line in buyer.get("/transfers", kind="fee")["items"]] == [-301, -350]
        assert buyer.get("/balance")["balance"] == -1_001_000 - 651
        point = buyer.get("/portfolio/history")["items"][-1]
        assert (point["fees"], point["equity"]) == (651, 10**7 - 651)
        assert buyer.get("/portfolio")["positions"][0]["average_cost"] == 1_001

    def test_a_statement_is_read_line_by_line_and_as_csv_with_its_fees(self, venue: Venue) -> None:
        stock = venue.list(reference_price=1_000)
        buyer, seller = venue.broker(cash=10**7), venue.broker(shares={stock: 10})
        charged(venue, buyer, maker_bps=0, taker_bps=10)
        for _ in range(3):
            seller.order("ask", stock, 1, 1_000)
            buyer.order("bid", stock, 1, 1_000)
            venue.match()
        whole = buyer.get("/transfers")
        lines, cursor = [], None
        while True:
            page = buyer.get("/transfers", limit=1, **({"cursor": cursor} if cursor else {}))
            lines += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert lines == whole["items"]
        assert [line["amount"] for line in lines] == [10**7, -1_000, -1, -1_000, -1, -1_000, -1]
        assert lines[-1]["balance_after"] == whole["closing_balance"] == 10**7 - 3_003
        since = buyer.get("/transfers", **{"from": lines[1]["time"]})
        assert (since["opening_balance"], len(since["items"])) == (10**7, 6)
        text = buyer.call("GET", "/transfers", headers={"Accept": "text/csv"}).text
        assert [int(row["amount"]) for row in csv.DictReader(io.StringIO(text))] == [line["amount"] for line in lines]

    def test_the_last_fundable_quantity_is_accepted_and_one_more_says_what_it_needs(self, venue: Venue) -> None:
        stock, broker = venue.list(reference_price=1_000), venue.broker(cash=100_000)
        charged(venue, broker, maker_bps=0, taker_bps=10)
        order = {"document_number": "1", "side": "bid", "symbol": stock, "quantity": 100, "price": 1_000}
        refused = broker.post("/orders", order)
        assert (told(refused), refused.json["required"]) == ((422, "insufficient_funds"), 100_100)
        assert broker.post("/orders", {**order, "quantity": 99}).status_code == 201
        assert broker.get("/balance")["reserved"] == 99_099

    def test_without_fees_everything_says_so(self, venue: Venue) -> None:
        stock = venue.list()
        buyer, seller = venue.broker(), venue.broker(shares={stock: 10})
        seller.order("ask", stock, 1, 3_500)
        order = buyer.get(f"/orders/{buyer.order('bid', stock, 1, 3_500)}")
        venue.match()
        assert order["fee"] == 0
        assert buyer.get("/trades")["items"][0]["fee"] == 0
        assert buyer.get("/fees") == {"maker_bps": 0, "taker_bps": 0, "volume_30d": 0, "tiers": []}


class TestWhoSetsThem:
    def test_an_administrator_gives_fees_and_takes_them_back(self, tiered: Venue) -> None:
        broker = tiered.broker()
        assert broker.get("/fees")["taker_bps"] == 20
        answer = charged(tiered, broker, maker_bps=0, taker_bps=3)
        assert (answer.json["maker_bps"], answer.json["taker_bps"]) == (0, 3)
        assert charged(tiered, broker, taker_bps=None).json["taker_bps"] == 20
        assert broker.get("/fees")["maker_bps"] == 0
        found = tiered.admin.get(f"/brokers/{broker.broker_id}")
        assert (found["maker_bps"], found["taker_bps"]) == (0, 20)
        (audited, *_) = tiered.admin.get("/audit", action="broker.change_fees")["items"]
        assert (audited["target"], audited["after"]["taker_bps"]) == (f"broker:{broker.broker_id}", 20)

    def test_nobody_else_does_and_nonsense_is_refused(self, venue: Venue) -> None:
        broker = venue.broker()
        for caller in (broker, venue.person("operator"), venue.person(broker=broker)):
            assert caller.put(f"/brokers/{broker.broker_id}/fees", {"taker_bps": 0}).status_code == 403
        for wanted in ({}, {"taker_bps": 1_001}, {"maker_bps": -1}, {"taker_bps": 1.5}, {"tier": 1}):
            assert charged(venue, broker, **wanted).status_code == 422
        assert told(venue.admin.put("/brokers/999999/fees", {"taker_bps": 1})) == (404, "unknown_broker")

    def test_the_exchanges_own_accounts_are_no_brokers(self, venue: Venue) -> None:
        venue.list()
        assert all(broker["broker_id"] > 0 for broker in venue.admin.get("/brokers", limit=500)["items"])
        assert venue.admin.call("GET", "/brokers/-1").status_code == 404
        assert venue.admin.post("/brokers/0/deposit", {"reference": "1", "cash": 1}).status_code == 404

    def test_tiers_follow_what_was_traded_as_of_the_daily_roll(self, tiered: Venue) -> None:
        stock = tiered.list(reference_price=1_000)
        buyer, seller = tiered.broker(), tiered.broker(shares={stock: 10_000})
        seller.order("ask", stock, 2_000, 1_000)
        order_id = buyer.order("bid", stock, 2_000, 1_000)
        tiered.match()
        assert (buyer.get(f"/orders/{order_id}")["fee"], buyer.get("/fees")["volume_30d"]) == (4_000, 0)
        with transaction(tiered.engine) as session:
            count_turnover(session, datetime.now(UTC))
        assert buyer.get("/fees") == {
            "maker_bps": 4, "taker_bps": 8, "volume_30d": 2_000_000,
            "tiers": [
                {"from_volume": 2_000_000, "maker_bps": 4, "taker_bps": 8},
                {"from_volume": 35_000_000, "maker_bps": 1, "taker_bps": 2},
            ],
        }  # fmt: skip
        seller.order("ask", stock, 1_000, 1_000)
        order_id = buyer.order("bid", stock, 1_000, 1_000)
        tiered.match()
        assert buyer.get(f"/orders/{order_id}")["fee"] == 800
