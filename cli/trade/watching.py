"""The screen of `minex watch`."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Footer, Static

from cli.trade.ladder import ladder, tape
from cli.trade.prices import price_of
from client import AccountMirror, BookMirror, Exchange, Follower

FRAMES_A_SECOND: Final = 10
KEPT: Final = 200
"""Trades that are kept."""


class Watching(App[None]):
    """A stock's ladder and tape, drawn at most ten times a second, whatever comes."""

    TITLE = "Minex"
    CSS = """
    #head { height: 1; padding: 0 1; background: $panel; }
    #ladder { width: 3fr; padding: 0 1; }
    #tape { width: 2fr; padding: 0 1; border-left: solid $panel; }
    """
    BINDINGS: ClassVar = [("q", "quit", "Quit")]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, exchange: Exchange, stock: Mapping[str, Any]) -> None:
        super().__init__()
        self.symbol: str = stock["symbol"]
        self.stock = dict(stock)
        self.book = BookMirror(self.symbol)
        self.account = AccountMirror(exchange)
        self.trades: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        channels = [self.book.channel, f"stock:{self.symbol}", self.account.channel]
        self.follower = Follower(exchange, channels, [self.book, self.account], self._heed)
        self._exchange = exchange

    def compose(self) -> ComposeResult:
        """A line about the stock, the ladder, the tape, the keys."""
        yield Static(id="head")
        with Horizontal():
            yield Static(id="ladder")
            yield Static(id="tape")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to follow, and to draw."""
        self.trades.extend(self._exchange.tape(self.symbol, 50))
        self.follower.start()
        self.set_interval(1 / FRAMES_A_SECOND, self.draw)

    def on_unmount(self) -> None:
        """Follow no more."""
        self.follower.stop()

    def draw(self) -> None:
        """Show how everything is right now."""
        rows = max(3, (self.size.height - 5) // 2)
        own: dict[int, int] = {}
        for order in self.account.orders():
            if order["symbol"] == self.symbol and order["price"] is not None and order["order_id"]:
                own[order["price"]] = own.get(order["price"], 0) + order["remaining_quantity"]
        with self._lock:
            trades = list(self.trades)
        self.query_one("#head", Static).update(self._head(trades))
        self.query_one("#ladder", Static).update(ladder(self.book.bids(rows), self.book.asks(rows), own, rows))
        self.query_one("#tape", Static).update(tape(trades, 2 * rows + 1))

    def _head(self, trades: list[dict[str, Any]]) -> str:
        last = next((trade["price"] for trade in trades if not trade.get("busted")), self.stock["last_price"])
        reference = self.stock["reference_price"]
        change = "" if last is None or not reference else f"  {(last - reference) / reference:+.2%}"
        state = "" if self.stock["state"] == "open" else f"  [reverse] {self.stock['state']} [/reverse]"
        name = self.stock["name"] if self.stock["name"] != self.symbol else ""
        words = "gone" if self.follower.failure else "live" if self.book.is_ready else "connecting …"
        return f"[b]{self.symbol}[/b] {name}  [b]{price_of(last)}[/b]{change}{state}  [dim]{words}[/dim]"

    def _heed(self, event: str, payload: dict[str, Any]) -> None:
        """In the follower's thread."""
        with self._lock:
            if event == "TRADE_EXECUTED" and all(payload["trade_id"] != trade["trade_id"] for trade in self.trades):
                self.trades.appendleft(payload)
            elif event == "TRADE_BUSTED":
                for trade in self.trades:
                    trade["busted"] = trade.get("busted") or trade["trade_id"] == payload["trade_id"]
            elif event == "TRADE_ADJUSTED":
                for trade in self.trades:
                    if trade["trade_id"] == payload["trade_id"]:
                        trade["price"] = payload["price"]
            elif event == "STOCK_STATE":
                self.stock["state"] = payload["state"]
