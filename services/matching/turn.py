"""What a settled turn leaves behind: books to remember and messages to send, both only once it is committed.

The messages are made after the commit, or while PostgreSQL stores the next turn: until it is committed a turn keeps
others waiting for the balances that it changes.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.book import Book
from engine.terms.orders import ASK, BID
from engine.terms.states import AUCTION
from services.market_data.snapshots import shown_side
from services.matching.books import Books, Copy
from services.matching.messages import Message, book_snapshot, indicative_message, turn_messages
from services.order_entry.command_result import CommandResult
from services.settlement.settle import StoredTurn
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import StockTurn

TakenStock = tuple[Any, StockTurn, Book]
"""A stock of a turn: its row before it, the counters and the book."""

TakenStocks = dict[int, TakenStock]
"""The stocks of a turn by id."""


@dataclass(frozen=True, slots=True)
class BustsToTell:
    """What busts leave: their parties' messages, and the stocks (symbol, group) in whose inboxes there are cancels.

    `receivers`: brokers whose receivers are to be told.
    """

    messages: Sequence[Message] = ()
    stocks: Sequence[tuple[str, str]] = ()
    receivers: Set[int] = frozenset()


@dataclass(frozen=True, slots=True)
class CommittedTurn:
    """A settled turn's outcome, rows and ids: all that its messages are made from."""

    outcome: TurnOutcome
    events: Sequence[dict[str, Any]]
    trade_ids: Sequence[int]
    """Those of the outcome's executions."""
    stored: StoredTurn
    stocks: TakenStocks
    shown: Mapping[int, dict[int, bytes]]
    """The sides of each stock's book in JSON."""
    busts: BustsToTell = BustsToTell()


def shown_book(taken: TakenStock, books: Books) -> dict[int, bytes]:
    """The sides of a book in JSON as it is now; those that the turn has not changed as they were shown before."""
    row, stock, book = taken
    shown = books.shown(row)
    for side in (BID, ASK):
        if side not in shown or side in stock.changed:
            shown[side] = shown_side(book, side)
    return shown


@dataclass
class Turn:
    """The result of a turn: how much it did, and after `committed` what it is to tell."""

    commands: int = 0
    trades: int = 0
    more: bool = False
    """True if commands were left for the next turn."""
    replies: list[tuple[str, CommandResult]] = field(default_factory=list)
    """The addresses of those who wait for one of the commands, and what became of it."""
    settled: CommittedTurn | None = None
    spared: Sequence[TakenStock] = ()
    """Stocks whose commands were all left for the next turn; their books are as they were."""
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The book of each changed stock, best levels first."""
    _auctions: list[Message] = field(default_factory=list)

    def committed(self, books: Books) -> None:
        """Remember the books as they are, now that the database says the same."""
        settled = self.settled
        if settled is None:
            return
        for stock_id, (row, stock, book) in settled.stocks.items():
            shown = settled.shown[stock_id]
            books.keep(stock_id, Copy(row.book_version + 1, book, shown))
            self.snapshots[stock.symbol] = book_snapshot(stock, row.book_version + 1, shown)
        for row, _, book in self.spared:
            books.keep(row.id, Copy(row.book_version, book, books.shown(row)))
        books.accounts.know(settled.outcome.ledger.receiving)
        auctions = [
            (stock, book) for _, stock, book in settled.stocks.values() if stock.indicates and book.state == AUCTION
        ]
        self._auctions = [indicative_message(stock, book) for stock, book in auctions]

    @cached_property
    def messages(self) -> list[Message]:
        """What everybody is to hear; the next turn may be under way when they are made."""
        settled = self.settled
        if settled is None:
            return []
        symbols = {stock_id: stock.symbol for stock_id, (_, stock, _) in settled.stocks.items()}
        told = turn_messages(settled.outcome, settled.events, settled.trade_ids, settled.stored, symbols)
        return [*told, *settled.busts.messages, *self._auctions]
