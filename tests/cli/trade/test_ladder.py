"""Given a book and trades, then a terminal shows them, the best in the middle, the newest on top."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.trade.ladder import BAR, bar_of, ladder, tape


def lines(table: Table) -> list[str]:
    console = Console(file=StringIO(), width=70, no_color=True)
    console.print(table)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    assert bar_of(100, 100) == "█" * BAR
    assert bar_of(50, 100) == "█" * (BAR // 2)
    assert bar_of(1, 10**9) == "▏"
    assert bar_of(0, 100) == bar_of(0, 0) == ""
    assert all(len(bar_of(shares, 997)) <= BAR for shares in range(998))


def test_asks_stand_above_bids_and_ones_own_are_marked() -> None:
    shown = lines(ladder([(3_490, 100, 1), (3_480, 5, 2)], [(3_510, 1_000, 3)], {3_510: 40}, 2))
    assert [line.split() for line in shown[1:]] == [
        [],
        ["█" * BAR, "1,000", "35.10", "3", "●", "40"],
        ["0.20", "apart"],
        [bar_of(100, 1_000), "100", "34.90", "1"],
        [bar_of(5, 1_000), "5", "34.80", "2"],
    ]


def test_an_empty_book_is_one_too() -> None:
    assert "no spread" in "".join(lines(ladder([], [], {}, 3)))


def test_the_tape_has_the_newest_on_top() -> None:
    def trade(number: int, **more: Any) -> dict[str, Any]:
        return {
            "trade_id": number, "price": 3_500 + number, "quantity": number, "aggressor_side": "bid",
            "executed_at": f"2026-03-02T14:03:0{number}.123456Z", **more,
        }  # fmt: skip

    shown = lines(tape([trade(2), trade(1, aggressor_side="ask", busted=True)], 5))
    assert [line.split() for line in shown[1:]] == [
        ["14:03:02.123", "35.02", "2", "bought"], ["14:03:01.123", "35.01", "1", "sold"],
    ]  # fmt: skip
