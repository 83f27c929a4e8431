"""One stock's journal through a fresh book, compared step by step with what is stored."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.book import Book
from engine.resting.audit import BrokenBook
from engine.terms.commands import Close, New
from engine.terms.events import Cancelled, Corrected, Event, Expired, Rejected, StateChanged, Trade
from engine.terms.orders import ASK, BID, Order
from models.command import BRINGING
from services.history.again import command_again
from services.history.kept import first_book
from services.matching.journal import NEVER_MATCHED
from services.matching.sessions import OF_SESSIONS, begins_session
from services.settlement.ledger import order_id_of
from services.timestamps import microseconds
from services.verify.replay.kept_books import compare_kept
from services.verify.replay.rows import differences, replayed_trade, shown_trade, stored_trade
from services.verify.report import Check, Finding

CLOSED = text("""
    SELECT id, status, filled_quantity, filled_notional, cancelled_quantity, remaining_quantity, quantity
    FROM orders WHERE id = ANY(:ids)
""")

CLOSED_AT_ONCE = 2_000
"""Orders that closed in the replay are looked up in pieces of this many."""

Closed = tuple[str, int, int, int | None]
"""An order's last status, shares filled, cents of these fills, shares cancelled; None for all that there were."""


class StockReplay:
    """Feeds one stock's commands to an empty book. Once the engine itself breaks, the rest of the stock is left."""

    def __init__(self, session: Session, check: Check, stock: Any) -> None:
        self.session, self.check, self.stock = session, check, stock
        first, self.entered = first_book(stock)
        self.book: Book | None = first
        self.closed: dict[int, Closed] = {}
        self.tape = 0
        self.last_session: tuple[Any, int, int | None] | None = None
        """When it began, behind which sequence of the tape, and its reference."""

    def feed(self, command: Any, trades: Sequence[Any]) -> None:
        """Apply one row of the journal, and hold its outcome against the stored `trades` up to it."""
        if self.book is None:
            return
        self.check.rows += 1
        reference = self.book.reference
        try:
            events = self._events(self.book, command)
        except Exception as error:  # noqa: BLE001 - whatever breaks the engine is a finding
            self.check.add(
                Finding("commands", {"id": command.id}, "replayed", repr(error), "carried out by the engine")
            )
            self.book = None
            return
        self._compare_trades(command, events, trades, reference)
        refused = next((event.code for event in events if isinstance(event, Rejected)), None)
        if command.refused not in NEVER_MATCHED:
            self.check.require(command.refused, refused, "refused", "commands", id=command.id)
        if len(self.closed) >= CLOSED_AT_ONCE:
            self._compare_closed()

    def compare_kept(self, kept: Iterable[Any]) -> None:
        """Hold what was kept of the book after the last command that was fed against the book."""
        for row in kept:
            if self.book is not None:
                compare_kept(self.check, self.stock, row, self.book, self.entered)

    def finish(self, trades: Sequence[Any], resting: Sequence[Any]) -> None:
        """Hold the book against the orders that are open, and the stock's own row; `trades` are those left over."""
        if self.book is None:
            return
        for trade in trades:
            self.check.require(
                shown_trade(stored_trade(trade)), "none after the last command", "trade", "trades", id=trade.id
            )
        self._compare_closed()
        self._compare_book(self.book, resting)
        self.book.renew_indicative()
        for what, found in (
            ("last_price", self.book.last_price),
            ("reference_price", self.book.reference),
            ("best_bid", self.book.best(BID)),
            ("best_ask", self.book.best(ASK)),
            ("state", self.book.state),
            ("indicative_price", self.book.indicative.price),
            ("indicative_volume", self.book.indicative.volume),
            ("indicative_surplus", self.book.indicative.surplus),
        ):
            self.check.require(getattr(self.stock, what), found, what, "stocks", id=self.stock.id)
        session = self.last_session
        if session and session[0] >= self.stock.session_began_at:  # not one of before sessions were kept
            kept = (self.stock.session_began_at, self.stock.session_sequence, self.stock.session_reference)
            self.check.require(kept, session, "session", "stocks", id=self.stock.id)
        try:
            self.book.check()
        except BrokenBook as broken:
            self.check.add(Finding("stocks", {"id": self.stock.id}, "replayed book", str(broken), "sound"))

    def _events(self, book: Book, row: Any) -> list[Event]:
        command = command_again(row, book)
        if command is None:
            if row.kind in BRINGING and row.order_id not in book.orders:
                self.closed.setdefault(row.order_id, ("rejected", 0, 0, None))
            return [Rejected(row.order_id, row.refused)]
        state, now = book.state, microseconds(row.sequenced_at)
        self.entered.note(now)
        events = book.apply(command, now)
        if isinstance(command, OF_SESSIONS) and begins_session(command, state, book):
            self.last_session = row.sequenced_at, self.tape, book.reference
        self.tape += sum(isinstance(event, Trade | StateChanged | Corrected) for event in events)
        if isinstance(command, New | Close) and any(isinstance(event, Rejected) for event in events):
            self.closed[row.order_id] = ("rejected", 0, 0, command.order.quantity)
        for event in events:
            self._note(event)
        return events

    def _note(self, event: Event) -> None:
        """Remember how orders close; in the end the last event of each order counts."""
        match event:
            case Trade():
                for order in (event.maker, event.taker):
                    self._close(order, "filled")
            case Cancelled():
                self._close(event.order, "cancelled")
            case Expired():
                self._close(event.order, "expired")

    def _close(self, order: Order, status: str) -> None:
        if not order.remaining:
            self.closed[order_id_of(order)] = (status, order.filled, order.filled_value, order.cancelled)

    def _compare_trades(
        self, command: Any, events: Sequence[Event], stored: Sequence[Any], reference: int | None
    ) -> None:
        expected = [replayed_trade(event, command, reference) for event in events if isinstance(event, Trade)]
        if not stored and not expected:
            return
        self.check.rows += len(stored)
        for row, wanted in zip_longest(stored, expected):
            found = None if row is None else stored_trade(row)
            if found == wanted:
                continue
            place = {"id": row.id} if row is not None else {"stock_id": command.stock_id}
            self.check.add(
                Finding(
                    "trades",
                    {**place, "command_sequence": command.sequence},
                    "trade",
                    shown_trade(found),
                    shown_trade(wanted),
                )
            )

    def _compare_closed(self) -> None:
        rows = {row.id: row for row in self.session.execute(CLOSED, {"ids": list(self.closed)})}
        for order_id, (status, filled, notional, cancelled) in self.closed.items():
            row = rows.get(order_id)
            found = None
            if row is not None:
                found = (row.status, row.filled_quantity, row.filled_notional, row.cancelled_quantity)
            all_of_it = None if row is None else row.quantity
            wanted = (status, filled, notional, all_of_it if cancelled is None else cancelled)
            self.check.require(found, wanted, "status, filled, notional, cancelled", "orders", id=order_id)
        self.closed.clear()

    def _compare_book(self, book: Book, resting: Sequence[Any]) -> None:
        """The stored orders, in their priority, against the book's: the same orders, in the same order."""
        self.check.rows += len(resting)
        stored = {row.id: row for row in resting}
        for order_id in book.orders.keys() - stored.keys():
            self.check.add(Finding("orders", {"id": order_id}, "in the book", "no", "yes"))
        youngest = 0
        for row in resting:
            order = book.orders.get(row.id)
            if order is None:
                self.check.add(Finding("orders", {"id": row.id}, "in the book", "yes", "no"))
                continue
            for what, found, wanted in differences(row, order, self.entered):
                self.check.require(found, wanted, what, "orders", id=row.id)
            if order.priority < youngest:
                what = f"priority {row.priority}, behind a younger order"
                self.check.add(Finding("orders", {"id": row.id}, "place in time", what, "ahead of it"))
            youngest = max(youngest, order.priority)
