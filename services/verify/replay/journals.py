"""7. The journal, fed to a fresh engine, gives the same trades and the same books.

Everything that a stock's worker ever sequenced goes once more through an empty book, command by command, with the
time it was given then. What the engine answers is compared with what was stored: every trade in its place, every
refusal, every order as it closed, and the book at the end. That is also the proof of FIFO: nobody traded while an
order with better priority rested. Nothing of the matching turn or the settlement has a part in it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Self

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.history.again import JOURNAL
from services.verify.replay.stock import StockReplay
from services.verify.report import Check

STOCKS = text("SELECT * FROM stocks ORDER BY id")

COMMANDS = text(f"{JOURNAL} WHERE sequence IS NOT NULL ORDER BY stock_id, sequence, id")

TRADES = text("""
    SELECT id, stock_id, sequence, command_sequence, price, quantity, aggressor_side, buy_order_id, sell_order_id,
        buyer_id, seller_id, executed_at, reference_price, is_auction
    FROM trades ORDER BY stock_id, sequence, id
""")

RESTING = text("""
    SELECT id, stock_id, side, price, protection_price, stop_price, quantity, shown_quantity, filled_quantity,
        filled_notional, remaining_quantity, cancelled_quantity, valid_until, priority, entered_at, status
    FROM orders WHERE closed_at IS NULL AND status <> 'pending' ORDER BY stock_id, priority, id
""")

KEPT = text("""
    SELECT stock_id, command_sequence, state, reference_price, last_price, order_count, orders
    FROM book_checkpoints ORDER BY stock_id, command_sequence
""")

STREAMED = {"stream_results": True, "yield_per": 2_000}
FEW_STREAMED = {"stream_results": True, "yield_per": 2}
"""Cursors of the server: the journal may be larger than memory. A book that was kept is one row."""


class Tape:
    """Rows of all stocks, by stock and sequence, taken piece by piece and never twice, within a `with` block."""

    def __init__(self, session: Session, query: Any, options: dict[str, Any] = STREAMED) -> None:
        self._result = session.execute(query, execution_options=options)
        self._rows = iter(self._result)
        self._next = next(self._rows, None)

    def __enter__(self) -> Self:
        """The tape."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the cursor: rows of a stock that does not exist are never taken."""
        self._result.close()

    def of_stock(self, stock_id: int) -> Iterator[Row[Any]]:
        """Those of this stock that are left."""
        while self._next is not None and self._next.stock_id <= stock_id:
            row, self._next = self._next, next(self._rows, None)
            yield row

    def of_command(self, stock_id: int, sequence: int) -> Sequence[Row[Any]]:
        """Those of this stock's commands up to `sequence` that nobody has taken yet."""
        rows = []
        while self._next is not None and (self._next.stock_id, self._next.command_sequence) <= (stock_id, sequence):
            rows.append(self._next)
            self._next = next(self._rows, None)
        return rows


def replay_journals(session: Session, check: Check) -> None:
    """Replay every stock, adding to `check` where the engine disagrees with what is stored."""
    with (
        Tape(session, COMMANDS) as commands,
        Tape(session, TRADES) as trades,
        Tape(session, RESTING) as resting,
        Tape(session, KEPT, FEW_STREAMED) as books,
    ):
        for stock in session.execute(STOCKS).all():
            replay = StockReplay(session, check, stock)
            for command in commands.of_stock(stock.id):
                replay.feed(command, trades.of_command(stock.id, command.sequence))
                replay.compare_kept(books.of_command(stock.id, command.sequence))
            replay.finish(list(trades.of_stock(stock.id)), list(resting.of_stock(stock.id)))
            replay.compare_kept(books.of_stock(stock.id))
