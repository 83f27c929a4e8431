"""One turn of a worker: lock the stocks, read their inboxes, match, settle. The caller commits, then tells."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from engine.book import Book
from engine.commands import Amend
from engine.orders import ASK, BID
from models.trouble import is_passing
from services.accounts import read_accounts
from services.books import Books
from services.inbox import lock_stocks, read_inbox
from services.instants import microseconds
from services.journal import BROKEN, UNDERFUNDED, engine_command
from services.ledger import need_of
from services.outcome import Outcome, StockTurn
from services.settle import (
    store_commands,
    store_events,
    store_ledger,
    store_orders,
    store_stocks,
    store_trades,
)
from services.tell import Message, book_snapshot, public_events, told


class BrokenTurn(Exception):
    """A turn could not be matched or settled; `command_ids` are the commands that it had taken."""

    def __init__(self, command_ids: Sequence[int]) -> None:
        super().__init__(f"{len(command_ids)} commands could not be matched and settled")
        self.command_ids = command_ids


@dataclass(frozen=True, slots=True)
class Culprit:
    """The one command that breaks even a turn of its own, and how."""

    command_id: int
    error: BaseException


@dataclass
class Turn:
    """What a committed turn is to tell, and how much it did."""

    commands: int = 0
    trades: int = 0
    more: bool = False
    """Whether commands were left for the next turn."""
    messages: list[Message] = field(default_factory=list)
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The book of each changed stock, best levels first."""
    replies: list[str] = field(default_factory=list)
    """Who waits for one of the commands."""
    kept: list[tuple[int, int, Book]] = field(default_factory=list)

    def committed(self, books: Books) -> None:
        """Remember the books as they are, now that the database says the same."""
        for stock_id, version, book in self.kept:
            books.keep(stock_id, version, book)


def match_turn(
    session: Session, symbols: Sequence[str], books: Books, limit: int, culprit: Culprit | None = None
) -> Turn:
    """Take at most `limit` waiting commands of these stocks, match and settle them in the session's transaction.

    With `culprit` that one command is refused with its error's report instead of matched. Books in memory are changed
    as the turn goes on; if this raises, or the commit fails, the caller must `forget` them. Raises BrokenTurn, from
    whatever broke it; errors that will pass (`models.trouble`) are raised as they are.
    """
    stocks = lock_stocks(session, symbols)
    only = None if culprit is None else culprit.command_id
    inbox = read_inbox(session, [stock.id for stock in stocks], limit, only)
    if not inbox:
        return Turn()
    try:
        return _matched(session, stocks, inbox, books, limit, culprit)
    except Exception as error:
        if is_passing(error):
            raise
        raise BrokenTurn([row.id for row in inbox]) from error


def _matched(
    session: Session, stocks: Sequence[Any], inbox: Sequence[Any], books: Books, limit: int, culprit: Culprit | None
) -> Turn:
    turns: dict[int, StockTurn] = {}
    current: dict[int, Book] = {}
    rows = {stock.id: stock for stock in stocks}
    outcome = Outcome()
    for row in inbox:
        stock = rows[row.stock_id]
        if stock.id not in turns:
            current[stock.id] = books.current(session, stock)
            turns[stock.id] = StockTurn(stock.id, stock.symbol, stock.command_sequence, stock.event_sequence, stock.now)
        _apply(outcome, turns[stock.id], current[stock.id], row, culprit)
    turn = _stored(session, outcome, turns, current, rows)
    turn.commands = len(inbox)
    turn.more = len(inbox) == limit
    turn.replies = [row.reply_to for row in inbox if row.reply_to]
    return turn


def _apply(outcome: Outcome, stock: StockTurn, book: Book, row: Any, culprit: Culprit | None) -> None:
    command = engine_command(row.kind, row.order_id, row.broker_id, row.payload)
    stock.command_sequence += 1
    if culprit is not None:
        report = "".join(traceback.format_exception(culprit.error))
        outcome.refuse(stock, row, command, BROKEN, report)
    elif isinstance(command, Amend) and _underfunded(book, command, row.reserved):
        outcome.refuse(stock, row, command, UNDERFUNDED)
    else:
        events = book.apply(command, microseconds(stock.sequenced_at))
        outcome.take(stock, row, command, events)


def _underfunded(book: Book, command: Amend, reserved: int) -> bool:
    """Whether an amendment would need more than the order has and what was set aside for it.

    `services.amend` sets aside the most that it can need; this holds the line should that ever be wrong.
    """
    order = book.orders.get(command.id)
    if order is None or command.quantity is None:
        return False
    remaining = max(0, command.quantity - order.filled - order.cancelled)
    return need_of(order, command.price, remaining) > need_of(order, order.price, order.remaining) + reserved


def _stored(
    session: Session, outcome: Outcome, turns: dict[int, StockTurn], current: dict[int, Book], rows: dict[int, Any]
) -> Turn:
    orders = store_orders(session, outcome)
    store_commands(session, outcome)
    trade_ids = store_trades(session, outcome.executions)
    changed = store_ledger(session, outcome.ledger, trade_ids)
    reserved = read_accounts(session, sorted(outcome.reserving - outcome.ledger.changes.keys()))
    events = public_events(outcome.executions, trade_ids)
    store_events(session, events)
    store_stocks(session, [_counters(turns[stock_id], current[stock_id]) for stock_id in sorted(turns)])
    symbols = {stock_id: turn.symbol for stock_id, turn in turns.items()}
    turn = Turn(trades=len(trade_ids), messages=told(outcome, events, orders, [*changed, *reserved], symbols))
    for stock_id, book in current.items():
        version = rows[stock_id].book_version + 1
        turn.kept.append((stock_id, version, book))
        turn.snapshots[symbols[stock_id]] = book_snapshot(turns[stock_id], book, version)
    return turn


def _counters(turn: StockTurn, book: Book) -> dict[str, Any]:
    return {
        "id": turn.id,
        "command_sequence": turn.command_sequence,
        "event_sequence": turn.event_sequence,
        "sequenced_at": turn.sequenced_at,
        "reference_price": book.reference,
        "last_price": book.last_price,
        "best_bid": book.best(BID),
        "best_ask": book.best(ASK),
    }
