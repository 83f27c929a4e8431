"""Given money and shares that come in and go out, then each reference is done once, and what they cost is exact."""

from __future__ import annotations

import csv
import io
import threading
from typing import Any

import pytest

from tests.api.browser import told
from tests.api.venue import Caller, Venue


def moved(venue: Venue, broker: Caller, kind: str, reference: str, **what: Any) -> Any:
    return venue.admin.post(f"/brokers/{broker.broker_id}/{kind}", {"reference": reference, **what})


def held(broker: Caller, symbol: str) -> dict[str, Any]:
    return next(found for found in broker.get("/portfolio")["positions"] if found["symbol"] == symbol)


def trade(venue: Venue, buyer: Caller, seller: Caller, symbol: str, quantity: int, price: int) -> None:
    seller.order("ask", symbol, quantity, price)
    buyer.order("bid", symbol, quantity, price)
    venue.match()


class TestDeposits:
    def test_cash_and_shares_come_in(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker(cash=0)
        answer = moved(venue, broker, "deposit", "wire 1", cash=1_000, positions={stock: {"quantity": 5, "cost": 500}})
        assert answer.status_code == 201
        cash, shares = answer.json["transfers"]
        assert cash | {"transfer_id": 0, "time": ""} == {
            "transfer_id": 0, "time": "", "asset": "cash", "kind": "deposit", "amount": 1_000, "balance_after": 1_000,
            "cost": None, "order_id": None, "trade_id": None, "reference": "wire 1",
        }  # fmt: skip
        assert (shares["asset"], shares["amount"], shares["cost"]) == (stock, 5, 500)
        assert broker.get("/balance")["available"] == 1_000
        assert (held(broker, stock)["available"], held(broker, stock)["average_cost"]) == (5, 100)

    def test_shares_without_a_cost_come_in_at_the_reference(self, venue: Venue) -> None:
        stock, broker = venue.list(reference_price=700), venue.broker()
        moved(venue, broker, "deposit", "custody", positions={stock.lower(): {"quantity": 3}})
        assert held(broker, stock)["average_cost"] == 700

    def test_withdrawn_shares_take_their_part_of_the_cost_without_profit(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        moved(venue, broker, "deposit", "1", positions={stock: {"quantity": 5, "cost": 500}})
        answer = moved(venue, broker, "withdraw", "2", positions={stock: {"quantity": 1}})
        assert (answer.json["transfers"][0]["amount"], answer.json["transfers"][0]["cost"]) == (-1, -100)
        found = held(broker, stock)
        assert (found["available"], found["average_cost"], found["realised_pnl"]) == (4, 100, 0)
        moved(venue, broker, "deposit", "3", positions={stock: {"quantity": 1, "cost": 60}})
        assert held(broker, stock)["average_cost"] == 92

    def test_a_fraction_of_a_cent_stays(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        moved(venue, broker, "deposit", "1", positions={stock: {"quantity": 3, "cost": 100}})
        assert (
            moved(venue, broker, "withdraw", "2", positions={stock: {"quantity": 1}}).json["transfers"][0]["cost"]
            == -33
        )
        assert held(broker, stock)["average_cost"] == 33.5

    @pytest.mark.parametrize(
        ("body", "code", "field"),
        [
            ({"cash": 1_001}, "insufficient_funds", "cash"),
            ({"positions": {"STK": {"quantity": 6}}}, "insufficient_shares", "positions"),
            ({"cash": 1, "positions": {"STK": {"quantity": 6}}}, "insufficient_shares", "positions"),
        ],
    )
    def test_more_than_is_available_stays(self, venue: Venue, body: dict[str, Any], code: str, field: str) -> None:
        stock, broker = venue.list(), venue.broker(cash=1_000, credit_limit=10**6, short_limit=100)
        moved(venue, broker, "deposit", "1", positions={stock: {"quantity": 5, "cost": 500}})
        body = {**body, "positions": {stock: body["positions"]["STK"]}} if "positions" in body else body
        answer = moved(venue, broker, "withdraw", "2", **body)
        assert told(answer) == (422, code)
        assert answer.json["errors"].keys() == {field}
        assert answer.json["required"] > answer.json["available"]
        assert broker.get("/balance")["available"] == 1_000, "nothing was done"
        assert moved(venue, broker, "withdraw", "2", cash=1_000).status_code == 201, "the reference is free"

    def test_what_is_reserved_is_not_available(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker(cash=35_000)
        broker.order("bid", stock, 10, 3_500)
        assert told(moved(venue, broker, "withdraw", "1", cash=1)) == (422, "insufficient_funds")

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 422), ({"cash": 0}, 422), ({"cash": -1}, 422), ({"cash": 1.5}, 422), ({"cash": 10**16}, 422),
            ({"positions": {"NOSUCH": {"quantity": 1}}}, 404), ({"positions": {"STK": 5}}, 422),
            ({"positions": {"STK": {"quantity": 0}}}, 422), ({"positions": {"STK": {"quantity": 1, "cost": -1}}}, 422),
            ({"cash": 1, "reference": ""}, 422), ({"cash": 1, "reference": "x" * 129}, 422),
            ({"cash": 1, "to": 1}, 422),
        ],
    )  # fmt: skip
    def test_what_will_not_do_is_refused(self, venue: Venue, body: dict[str, Any], status: int) -> None:
        broker = venue.broker(cash=0)
        path = f"/brokers/{broker.broker_id}/deposit"
        assert venue.admin.post(path, {"reference": "r", **body}).status_code == status
        assert broker.get("/balance")["available"] == 0

    def test_nobody_deposits_for_himself_or_for_nobody(self, venue: Venue) -> None:
        broker = venue.broker()
        path = f"/brokers/{broker.broker_id}/deposit"
        assert told(broker.post(path, {"reference": "r", "cash": 1})) == (403, "admin_only")
        assert told(venue.person("operator").post(path, {"reference": "r", "cash": 1})) == (403, "role_missing")
        assert told(venue.admin.post("/brokers/999999/deposit", {"reference": "r", "cash": 1})) == (
            404,
            "unknown_broker",
        )

    def test_no_more_comes_in_than_can_be_counted(self, venue: Venue) -> None:
        stock, broker = venue.list(), venue.broker()
        venue.run("UPDATE assets SET supply = 4611686018427387903 WHERE code = :code", code=stock)
        answer = moved(venue, broker, "deposit", "1", positions={stock: {"quantity": 1}})
        assert (told(answer), answer.json["errors"].keys()) == ((422, "supply_too_large"), {"positions"})
        venue.run("UPDATE assets SET supply = 0 WHERE code = :code", code=stock)


class TestReferences:
    def test_the_same_again_is_done_once_and_answered_alike(self, venue: Venue) -> None:
        broker = venue.broker(cash=0)
        first = moved(venue, broker, "deposit", "wire", cash=10)
        again = moved(venue, broker, "deposit", "wire", cash=10)
        assert (first.status_code, again.status_code, again.json) == (201, 200, first.json)
        assert broker.get("/balance")["available"] == 10
        for kind, what in (("deposit", {"cash": 11}), ("withdraw", {"cash": 10})):
            answer = moved(venue, broker, kind, "wire", **what)
            assert (told(answer), answer.json["errors"].keys()) == ((422, "reference_reused"), {"reference"})
        assert moved(venue, venue.broker(), "deposit", "wire", cash=11).status_code == 201, "of another broker"

    def test_many_at_once_do_it_once(self, venue: Venue) -> None:
        broker, answers = venue.broker(cash=0), []
        threads = [
            threading.Thread(target=lambda: answers.append(moved(venue, broker, "deposit", "wire", cash=10)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({str(answer.json) for answer in answers}) == 1
        assert broker.get("/balance")["available"] == 10

    def test_a_sandbox_that_is_reset_keeps_them(self, new_database: Any, redis_url: str) -> None:
        from tests.api.venue import settings_for  # noqa: PLC0415

        venue = Venue(settings_for(new_database(), redis_url))
        stock, broker, other = venue.list(), venue.broker(cash=10**6), venue.broker()
        moved(venue, broker, "deposit", "1", positions={stock: {"quantity": 10, "cost": 1}})
        trade(venue, other, broker, stock, 10, 3_500)
        assert venue.admin.post("/debug/reset").status_code == 204
        assert (held(broker, stock)["available"], held(broker, stock)["average_cost"]) == (10, 3_500)
        again = moved(venue, broker, "deposit", "1", positions={stock: {"quantity": 10, "cost": 1}})
        assert again.status_code == 200
        venue.close()


class TestStatements:
    @pytest.fixture
    def told_of(self, venue: Venue) -> tuple[str, Caller]:
        """A broker with a deposit, a purchase, a withdrawal, a sale."""
        stock, broker, other = venue.list(), venue.broker(cash=100_000), venue.broker(cash=10**7)
        moved(venue, other, "deposit", "1", positions={stock: {"quantity": 100}})
        trade(venue, broker, other, stock, 10, 3_500)
        moved(venue, broker, "withdraw", "=1+1", cash=5_000)
        trade(venue, other, broker, stock, 4, 3_600)
        broker.order("bid", stock, 1, 3_500)  # reserving is no line
        return stock, broker

    def test_each_line_has_its_balance(self, told_of: tuple[str, Caller]) -> None:
        stock, broker = told_of
        cash = broker.get("/transfers")
        assert [(line["kind"], line["amount"], line["balance_after"]) for line in cash["items"]] == [
            ("deposit", 100_000, 100_000), ("trade", -35_000, 65_000), ("withdrawal", -5_000, 60_000),
            ("trade", 14_400, 74_400),
        ]  # fmt: skip
        assert (cash["opening_balance"], cash["closing_balance"], cash["next_cursor"]) == (0, 74_400, None)
        balance = broker.get("/balance")
        assert cash["closing_balance"] == balance["available"] + balance["reserved"]
        shares = broker.get("/transfers", asset=stock.lower())
        assert [(line["amount"], line["balance_after"]) for line in shares["items"]] == [(10, 10), (-4, 6)]
        assert cash["items"][1]["trade_id"] == shares["items"][0]["trade_id"]
        assert cash["items"][2]["reference"] == "=1+1"
        ids = [line["transfer_id"] for line in cash["items"] + shares["items"]]
        assert len(set(ids)) == len(ids)
        assert all(isinstance(found, int) for found in ids)

    def test_pages_go_on_and_both_balances_are_those_of_the_whole(self, told_of: tuple[str, Caller]) -> None:
        _, broker = told_of
        whole = broker.get("/transfers")
        items, cursor = [], {}
        while True:
            found = broker.get("/transfers", limit=1, **cursor)
            assert (found["opening_balance"], found["closing_balance"]) == (0, 74_400)
            items += found["items"]
            if found["next_cursor"] is None:
                break
            cursor = {"cursor": found["next_cursor"]}
        assert items == whole["items"]

    def test_what_comes_meanwhile_is_for_the_next_statement(self, venue: Venue, told_of: tuple[str, Caller]) -> None:
        _, broker = told_of
        first = broker.get("/transfers", limit=2)
        moved(venue, broker, "deposit", "late", cash=1)
        rest = broker.get("/transfers", limit=500, cursor=first["next_cursor"])
        assert rest["items"][-1]["balance_after"] == rest["closing_balance"] == 74_400

    def test_a_range_opens_and_closes_where_it_lies(self, told_of: tuple[str, Caller]) -> None:
        _, broker = told_of
        lines = broker.get("/transfers")["items"]
        part = broker.get("/transfers", **{"from": lines[1]["time"], "to": lines[3]["time"]})
        assert part["items"] == lines[1:3]
        assert (part["opening_balance"], part["closing_balance"]) == (100_000, 60_000)
        until = broker.get("/transfers", to=lines[1]["time"])
        assert (until["items"], until["closing_balance"]) == (lines[:1], 100_000)
        since = broker.get("/transfers", **{"from": "2090-01-01T00:00:00Z"})
        assert (since["items"], since["opening_balance"], since["closing_balance"]) == ([], 74_400, 74_400)

    def test_one_kind_keeps_the_balances_of_all(self, told_of: tuple[str, Caller]) -> None:
        _, broker = told_of
        lines = broker.get("/transfers")["items"]
        assert broker.get("/transfers", kind="trade")["items"] == [lines[1], lines[3]]
        first = broker.get("/transfers", kind="trade", limit=1)
        assert broker.get("/transfers", kind="trade", limit=1, cursor=first["next_cursor"])["items"] == [lines[3]]

    def test_whoever_is_on_both_sides_has_both_lines(self, venue: Venue) -> None:
        stock = venue.list(self_trade_prevention="none")
        broker = venue.broker(cash=100_000, shares={stock: 10})
        trade(venue, broker, broker, stock, 5, 3_500)
        cash = broker.get("/transfers", kind="trade")["items"]
        assert sorted(line["amount"] for line in cash) == [-17_500, 17_500]
        assert cash[-1]["balance_after"] == 100_000

    def test_as_csv_it_is_the_same_and_no_text_is_a_formula(self, told_of: tuple[str, Caller]) -> None:
        _, broker = told_of
        lines = broker.get("/transfers")["items"]
        answer = broker.call("GET", "/transfers", headers={"Accept": "text/csv"}, query_string={"limit": 3})
        assert answer.mimetype == "text/csv"
        assert (answer.headers["Opening-Balance"], answer.headers["Closing-Balance"]) == ("0", "74400")
        assert 'rel="next"' in answer.headers["Link"]
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(rows) == 3
        for row, line in zip(rows, lines, strict=False):
            assert {name: int(row[name]) for name in ("transfer_id", "amount", "balance_after")} == {
                name: line[name] for name in ("transfer_id", "amount", "balance_after")
            }
            assert row["trade_id"] == ("" if line["trade_id"] is None else str(line["trade_id"]))
        assert "-5000" in answer.text
        assert "'-" not in answer.text
        assert rows[2]["reference"] == "'=1+1"

    @pytest.mark.parametrize(
        "query",
        [
            {"asset": "no such thing"}, {"kind": "gift"}, {"cursor": "x"}, {"limit": 0}, {"from": "yesterday"},
            {"from": "2026-01-02T00:00:00Z", "to": "2026-01-02T00:00:00Z"},
        ],
    )  # fmt: skip
    def test_what_cannot_be_meant_is_refused(self, venue: Venue, query: dict[str, Any]) -> None:
        assert venue.broker().call("GET", "/transfers", query_string=query).status_code == 422

    def test_a_stock_that_is_not_listed_has_none(self, venue: Venue) -> None:
        assert told(venue.broker().call("GET", "/transfers", query_string={"asset": "NOSUCH"})) == (
            404,
            "unknown_stock",
        )
