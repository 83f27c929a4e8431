"""A book as a ladder and trades as a tape, for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from cli.trade.prices import price_of

BAR: Final = 14
"""Columns of the longest bar."""

PARTS: Final = " ▏▎▍▌▋▊▉█"
"""Eighths of a column."""

STYLES: Final = {"bid": "green", "ask": "red"}

Level = tuple[int, int, int]
"""(price in cents, shares, orders)"""


def bar_of(shares: int, most: int) -> str:
    """A bar whose length is to the longest as `shares` are to `most`, to an eighth of a column."""
    eighths = max(1, round(shares / most * BAR * 8)) if shares and most else 0
    return "█" * (eighths // 8) + (PARTS[eighths % 8] if eighths % 8 else "")


def ladder(bids: Sequence[Level], asks: Sequence[Level], own: Mapping[int, int], rows: int) -> Table:
    """The best levels, asks above bids; `own`: shares of one's own orders by price. So many rows a side."""
    shown = Table(box=None, expand=True, padding=(0, 1), header_style="dim")
    for name, justify in (("", "left"), ("shares", "right"), ("price", "right"), ("orders", "right"), ("own", "right")):
        shown.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    asks, bids = asks[:rows], bids[:rows]
    most = max((shares for _, shares, _ in [*asks, *bids]), default=0)
    for _ in range(rows - len(asks)):
        shown.add_row(*[""] * 5)
    for level in reversed(asks):
        _add(shown, level, "ask", most, own)
    shown.add_row("", "", Text(_spread(bids, asks), style="dim"), "", "")
    for level in bids:
        _add(shown, level, "bid", most, own)
    return shown


def tape(trades: Collection[Mapping[str, Any]], rows: int) -> Table:
    """The latest trades, the newest first; those that were busted are struck through."""
    shown = Table(box=None, expand=True, padding=(0, 1), header_style="dim")
    for name, justify in (("time (UTC)", "left"), ("price", "right"), ("shares", "right"), ("", "left")):
        shown.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for trade in list(trades)[:rows]:
        style = STYLES[trade["aggressor_side"]] + (" strike" if trade.get("busted") else "")
        word = "bought" if trade["aggressor_side"] == "bid" else "sold"
        shown.add_row(
            Text(trade["executed_at"][11:23], style="dim"),
            Text(price_of(trade["price"]), style=style),
            f"{trade['quantity']:,}",
            Text(word, style="dim"),
        )
    return shown


def _add(shown: Table, level: Level, side: str, most: int, own: Mapping[int, int]) -> None:
    price, shares, orders = level
    mine = own.get(price)
    shown.add_row(
        Text(bar_of(shares, most), style=STYLES[side]),
        f"{shares:,}",
        Text(price_of(price), style=f"bold {STYLES[side]}"),
        Text(str(orders), style="dim"),
        Text(f"● {mine:,}" if mine else "", style="yellow"),
    )


def _spread(bids: Sequence[Level], asks: Sequence[Level]) -> str:
    return f"{(asks[0][0] - bids[0][0]) / 100:.2f} apart" if bids and asks else "no spread"
