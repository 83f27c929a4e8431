"""Take the commands of an inbox to the books, and note down what comes of each."""

from collections.abc import Mapping, Sequence
from typing import Any

from database.transaction import Transaction
from engine.book import Book
from engine.terms.commands import Amend, Close, New
from services.clearing.requests import give_up
from services.matching.books import Books
from services.matching.closing import held_before, resolve
from services.matching.journal import BROKEN, UNDERFUNDED, UnreadableCommand, command_of
from services.matching.poison import PoisonCommand, command_to_refuse
from services.matching.sessions import OF_SESSIONS, begins_session
from services.matching.turn import TakenStocks
from services.settlement.ledger import Account, need_of
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import SessionStart, StockTurn
from services.timestamps import microseconds, timestamp

MOST_REPORTS = 10_000
"""Execution reports after which a turn takes no further command. A market that opens, or closes, brings many thousands
with each; PostgreSQL would end the transaction of a worker that is silent while it works them all out."""


def carry_out(
    session: Transaction,
    stocks: Sequence[Any],
    inbox: Sequence[Any],
    books: Books,
    poison: PoisonCommand | None,
) -> tuple[TurnOutcome, TakenStocks, int]:
    """The outcome of the commands, the stocks that they name, and the number of commands that were taken."""
    wanted = {row.stock_id for row in inbox}
    stocks = [stock for stock in stocks if stock.id in wanted]
    current = books.current(session, stocks)
    found = {stock.id: (stock, turn_of(stock), current[stock.id]) for stock in stocks}
    outcome = TurnOutcome()
    held = held_before(session, inbox)
    taken = 0
    for row in inbox:
        _, turn, book = found[row.stock_id]
        if poison is None:
            _apply(outcome, turn, book, row, held)
        else:
            turn.command_sequence += 1
            outcome.refuse(turn, row, command_to_refuse(session, row), BROKEN, poison.report())
            if row.kind == "bust":
                give_up(session, row.id)
        taken += 1
        if len(outcome.reports) >= MOST_REPORTS:
            break
    return outcome, found, taken


def turn_of(stock: Any) -> StockTurn:
    """The counters of a stock (its locked row) at the beginning of its turn."""
    now = stock.now
    return StockTurn(
        stock.id,
        stock.symbol,
        stock.fee_account,
        stock.command_sequence,
        stock.event_sequence,
        stock.book_sequence,
        microseconds(now),
        timestamp(now),
    )


def _apply(outcome: TurnOutcome, stock: StockTurn, book: Book, row: Any, held: Mapping[Account, int]) -> None:
    command = command_of(row)
    if isinstance(command, Close):
        resolve(command, book, stock.id, held, outcome.ledger, row.reserved)
    if isinstance(command, New | Close) and command.order.id in book.orders:
        raise UnreadableCommand(f"order {command.order.id} has been in the book before")
    stock.command_sequence += 1
    if isinstance(command, Amend) and _underfunded(book, command, row.reserved):
        outcome.refuse(stock, row, command, UNDERFUNDED)
    else:
        reference, state, sequence = book.reference, book.state, stock.event_sequence
        events = book.apply(command, stock.now)
        outcome.take(stock, row, command, events, reference)
        if isinstance(command, OF_SESSIONS) and begins_session(command, state, book):
            stock.session = SessionStart(sequence, book.reference)


def _underfunded(book: Book, command: Amend, reserved: int) -> bool:
    """True if an amendment would need more than the order has and what was set aside for it.

    `services.order_entry.changing.amend` sets aside the most that it can need; this holds the line should that ever be
    wrong.
    """
    order = book.orders.get(command.id)
    if order is None or command.quantity is None:
        return False
    remaining = max(0, command.quantity - order.filled - order.cancelled)
    price = order.price if command.price is None else command.price
    return need_of(order, price, remaining) > need_of(order, order.price, order.remaining) + reserved
