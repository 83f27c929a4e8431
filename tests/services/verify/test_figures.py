"""Figures that are not what the trades come to are named, and so is a session that did not begin there."""

from __future__ import annotations

import pytest

from services.verify.report import Finding
from tests.services.floor import Floor
from tests.services.market_data.candles.market import Market
from tests.services.verify.tampering import tampered
from tests.services.verify.test_verify import findings_of

CASES = {
    **{
        f"{name} of a candle": ("candles", "seconds = 300", {name: f"{name} + 1"}, {8})
        for name in ("open", "high", "low", "close", "volume", "turnover", "trades")
    },
    "a candle is gone": ("candles", "seconds = 60", {}, {8}),
    "when a candle begins": ("candles", "seconds = 3600", {"start": "start - interval '1 hour'"}, {8}),
    "a candle of no stock": ("candles", "seconds = 3600", {"stock_id": "1000000000000"}, {8}),
    **{
        f"{name} of a session": ("reported_stocks", "true", {name: f"{name} + 1"}, {8})
        for name in ("open", "high", "low", "close", "volume", "turnover", "trades")
    },
    "how far the reporter is": ("reported_stocks", "true", {"sequence": "sequence + 1000"}, {8}),
    "the trades of a session": ("stocks", "symbol = :last", {"session_sequence": "session_sequence - 1"}, {7, 8}),
    "when a session began": (
        "stocks", "symbol = :last", {"session_began_at": "session_began_at - interval '1 hour'"}, {7},
    ),
    "what a session counts from": ("stocks", "symbol = :last", {"session_reference": "session_reference + 1"}, {7}),
    "what shows at the best bid": ("stocks", "symbol = :last", {"best_bid_quantity": "best_bid_quantity + 1"}, {5}),
    "what shows at the best ask": ("stocks", "symbol = :last", {"best_ask_quantity": "NULL"}, {5}),
}  # fmt: skip


@pytest.fixture
def history(floor: Floor) -> Floor:
    """A stock that has been rolled once, with trades before and after it."""
    market = Market(floor)
    market.trades(5)
    floor.change(market.symbol, "roll")
    floor.match()
    market.trades(5)
    floor.bid(market.buyer, market.symbol, 3, 3_000)
    floor.ask(market.seller, market.symbol, 4, 4_000)
    floor.match()
    market.report()
    floor.last = market.symbol
    return floor


@pytest.mark.parametrize("case", CASES)
def test_a_figure_that_was_changed_is_named(history: Floor, case: str) -> None:
    table, where, change, numbers = CASES[case]
    with tampered(history, table, where, change):
        findings: list[tuple[int, Finding]] = findings_of(history)
    shown = "\n".join(f"{number} {finding}" for number, finding in findings)
    assert {number for number, _ in findings} == numbers, shown
    assert findings_of(history) == []
