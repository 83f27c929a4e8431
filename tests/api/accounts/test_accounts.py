"""Brokers and what they have."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.api.venue import Venue, an_order, settings_for


class TestRegister:
    """Only the administrator registers; key and secret are shown once."""

    def test_a_broker_comes_with_what_it_brings(self, venue: Venue) -> None:
        stock = venue.list()
        body = {
            "name": "Corretora Ação",
            "cash": 500,
            "positions": {stock: 7},
            "webhook_url": "https://b.example/h?x=1",
        }
        answer = venue.admin.post("/register", body)
        assert answer.status_code == 201
        assert set(answer.json) == {"broker_id", "api_key", "webhook_secret"}
        assert answer.headers["Cache-Control"] == "no-store"
        stored = venue.scalar("SELECT key_hash FROM api_keys WHERE broker_id = :id", id=answer.json["broker_id"])
        assert stored == hashlib.sha256(answer.json["api_key"].encode()).digest()
        secret = venue.scalar("SELECT secret FROM webhooks WHERE broker_id = :id", id=answer.json["broker_id"])
        assert secret == answer.json["webhook_secret"]

    def test_a_secret_comes_with_a_hook_alone(self, venue: Venue) -> None:
        assert venue.admin.post("/register", {"name": "Quiet"}).json["webhook_secret"] is None

    def test_credit_and_short_limits_are_honoured(self, venue: Venue) -> None:
        stock = venue.list()
        broker = venue.broker(cash=0, credit_limit=3_500, short_limit=2)
        assert broker.post("/orders", an_order("bid", stock, 1)).status_code == 201
        assert broker.post("/orders", an_order("bid", stock, 1)).json["code"] == "insufficient_funds"
        assert broker.post("/orders", an_order("ask", stock, 2)).status_code == 201
        assert broker.post("/orders", an_order("ask", stock, 1)).json["code"] == "insufficient_shares"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *(("name", value) for value in ("", "x" * 101, None, 1, "a\x00", "\x1b[2J")),
            *(("cash", value) for value in (-1, 1.0, "1", True, 10**15 + 1, None)),
            *(("credit_limit", value) for value in (-1, 10**15 + 1)),
            *(("short_limit", value) for value in (-1, 10**12 + 1)),
            *(
                ("webhook_url", value)
                for value in ("", "ftp://x", "x", "http://", "http://u:p@x/", "http://x:99999/", 1)
            ),
            *(("webhook_url", value) for value in ("javascript:alert(1)", "http://[::1", "http://x y/", "http:///x")),
            ("positions", []),
            ("positions", 1),
            ("broker_id", 1),
            ("status", "active"),
        ],
    )
    def test_wrong_values_are_named(self, venue: Venue, field: str, value: Any) -> None:
        answer = venue.admin.post("/register", {"name": "X", field: value})
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field])

    @pytest.mark.parametrize("positions", [{".": 1}, {"": 1}, {"A\x00": 1}, {"STK": -1}, {"STK": 1.5}, {"STK": True}])
    def test_wrong_positions_are_named(self, venue: Venue, positions: dict[str, Any]) -> None:
        answer = venue.admin.post("/register", {"name": "X", "positions": positions})
        assert answer.status_code == 422
        assert all(name.startswith("positions.") for name in answer.json["errors"])

    def test_a_position_in_an_unknown_stock(self, venue: Venue) -> None:
        before = venue.scalar("SELECT count(*) FROM brokers")
        answer = venue.admin.post("/register", {"name": "X", "positions": {"NOSUCH": 1}})
        assert (answer.status_code, answer.json["code"]) == (404, "unknown_stock")
        assert venue.scalar("SELECT count(*) FROM brokers") == before


class TestListing:
    """Only the administrator lists stocks."""

    def test_rules_left_out_are_the_exchanges(self, venue: Venue) -> None:
        answer = venue.admin.post("/stocks", {"symbol": "PLAIN3"})
        assert (answer.status_code, answer.headers["Location"]) == (201, "/api/v1/stocks/PLAIN3")
        rules = {"name": "PLAIN3", "tick_size": 1, "lot_size": 1, "band": 1_000, "group": "A", "reference_price": None}
        assert rules.items() <= answer.json.items()
        assert answer.json == venue.admin.get("/stocks/PLAIN3")

    def test_rules_given_are_kept(self, venue: Venue) -> None:
        rules = {
            "symbol": "RULED.SA-1", "name": "Ruled", "reference_price": 500, "tick_size": 50, "lot_size": 10, "band": 0,
            "execution_price": "seller", "self_trade_prevention": "decrement", "group": "A",
        }  # fmt: skip
        assert rules.items() <= venue.admin.post("/stocks", rules).json.items()

    def test_a_symbol_is_listed_once(self, venue: Venue) -> None:
        stock = venue.list()
        answer = venue.admin.post("/stocks", {"symbol": stock})
        assert (answer.status_code, answer.json["code"]) == (409, "stock_exists")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *(("symbol", value) for value in ("", "-A", "A" * 13, "A B", "A/B", "Ç", None, 1)),
            *(("tick_size", value) for value in (0, -1, 1_000_001, "1", True, None)),
            *(("lot_size", value) for value in (0, 1_000_001)),
            *(("band", value) for value in (-1, 10_000, 1.5)),
            *(("reference_price", value) for value in (0, -1, 1_000_000_001, 10**13, True)),
            ("execution_price", "taker"),
            ("self_trade_prevention", "off"),
            ("group", "Z"),
            ("state", "open"),
        ],
    )
    def test_wrong_values_are_named(self, venue: Venue, field: str, value: Any) -> None:
        answer = venue.admin.post("/stocks", {"symbol": "WRONG3", field: value})
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field])

    def test_an_order_may_list_where_the_settings_say_so(self, database_url: str, redis_url: str) -> None:
        venue = Venue(settings_for(database_url, redis_url, exchange={"list_unknown_symbols": True}))
        broker = venue.broker(credit_limit=10**9, short_limit=10**6)
        venue.symbols.append("BRANDNEW")
        broker.order("bid", "BRANDNEW", 10, 123)
        broker.order("ask", "BRANDNEW", 10, 123, document_number="2")
        venue.match()
        assert broker.get("/stocks/BRANDNEW")["last_price"] == 123
        assert broker.call("GET", "/stocks/OTHERNEW").status_code == 404
        assert broker.get(f"/orders/{broker.order('bid', 'lower', 1, 123)}")["symbol"] == "LOWER"
        assert broker.post("/orders", an_order("bid", "..")).status_code == 422
        venue.close()


def test_the_balance_is_what_trades_brought(venue: Venue) -> None:
    stock = venue.list()
    buyer, seller = venue.broker(cash=1_000_000), venue.broker(cash=0, shares={stock: 100})
    buyer.order("bid", stock, 100, 3_500)
    seller.order("ask", stock, 60, 3_400)
    venue.match()
    assert buyer.get("/balance") == {
        "broker_id": buyer.broker_id,
        "broker_name": venue.scalar("SELECT name FROM brokers WHERE id = :id", id=buyer.broker_id),
        "balance": -210_000,
        "available": 650_000,
        "reserved": 140_000,
        "credit_limit": 0,
        "equity": 650_000 + 140_000 + 60 * 3_500,
        "buying_power": 650_000,
        "owed": 0,
        "status": "active",
    }
    assert seller.get("/balance")["balance"] == 210_000


def test_the_portfolio_is_valued_at_the_last_price(venue: Venue) -> None:
    stock, untouched = venue.list(), venue.list(reference_price=200)
    buyer = venue.broker(cash=10_000_000, shares={untouched: 5})
    seller = venue.broker(cash=0, short_limit=1_000)
    for price in (3_400, 3_500, 3_550):
        seller.order("ask", stock, 10, price)
        buyer.order("bid", stock, 10, price)
    venue.match()
    buyer.order("ask", stock, 4, 3_600)
    bought, brought = sorted(buyer.get("/portfolio")["positions"], key=lambda one: one["market_value"], reverse=True)
    assert bought == {
        "symbol": stock,
        "available": 26,
        "reserved": 4,
        "owed": 0,
        "average_cost": 3_483.3333,
        "market_value": 106_500,
        "realised_pnl": 0,
        "unrealised_pnl": 2_000,
    }
    assert (brought["symbol"], brought["average_cost"], brought["unrealised_pnl"]) == (untouched, 200, 0)
    portfolio = buyer.get("/portfolio")
    cash = (portfolio["cash"], portfolio["available_cash"], portfolio["reserved_cash"])
    assert cash == (9_895_500, 9_895_500, 0)
    (short,) = seller.get("/portfolio")["positions"]
    assert (short["available"], short["average_cost"], short["market_value"]) == (-30, 3_483.3333, -106_500)
    assert short["unrealised_pnl"] == -2_000


def test_who_has_nothing_has_an_empty_portfolio(venue: Venue) -> None:
    nothing = {"cash": 0, "available_cash": 0, "reserved_cash": 0, "positions": []}
    assert venue.broker(cash=0).get("/portfolio") == nothing
