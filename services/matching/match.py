"""One turn of a worker: lock the stocks, read their inboxes, match, settle and commit. Then the caller tells."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.errors import is_passing
from database.timed import answer_within
from engine.book import Book
from engine.commands import Amend, New
from services.matching.at_fault import AtFault, orders_at_fault
from services.matching.books import Books, StuckStock
from services.matching.inbox import take_inbox
from services.matching.journal import BROKEN, UNDERFUNDED, UnreadableCommand, command_of
from services.matching.messages import public_events
from services.matching.poison import BrokenTurn, PoisonCommand, command_to_refuse
from services.matching.turn import CommittedTurn, TakenStocks, Turn
from services.settlement.ledger import need_of
from services.settlement.settle import Stored, commit_movements, store_matches
from services.settlement.stock_rows import StockInTurn
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import StockTurn
from services.stocks.trading_states import ROLL, STATE, UNCROSS
from services.timestamps import microseconds, timestamp

MOST_REPORTS = 10_000
"""Execution reports after which a turn takes no further command. A market that opens, or closes, brings many thousands
with each; PostgreSQL would end the transaction of a worker that is silent while it works them all out."""

PATIENCE = text("SET LOCAL idle_in_transaction_session_timeout = '30s'")
"""One command may by itself bring more than a turn should, and cannot be divided: the opening of a market, or an order
that sweeps through a hundred thousand others."""

ANSWER_SECONDS = 10
LONG_ANSWER_SECONDS = 30
"""How long PostgreSQL may take to answer before its connection is given up; longer for a turn that was lost so, and for
whole books."""

OF_WHOLE_BOOKS = frozenset({STATE, UNCROSS, ROLL})


def match_turn(
    session: Session,
    symbols: Sequence[str],
    books: Books,
    limit: int,
    only: PoisonCommand | int | None = None,
    before_commit: Callable[[], None] = lambda: None,
    long_timeout: bool = False,
) -> Turn:
    """Take at most `limit` waiting commands of these stocks, match and settle them, and commit.

    It takes fewer where they bring very much; `long_timeout`, it may be silent for longer than a worker otherwise may.
    With `only` it takes that one command (its id); a PoisonCommand is refused with its error's report instead of
    matched. `before_commit` is called
    when all that is left is one way to PostgreSQL, with COMMIT as its end; what it raises is raised as it is. Books in
    memory are changed as the turn goes on; if this raises the caller must `forget` them, else it calls the turn's
    `committed`. Raises BrokenTurn, from whatever broke it; StuckStock for a stock whose book cannot be rebuilt; errors
    that will pass (`database.errors`) as they are.
    """
    answer_within(session, LONG_ANSWER_SECONDS if long_timeout else ANSWER_SECONDS)
    poison = only if isinstance(only, PoisonCommand) else None
    stocks, inbox = take_inbox(session, symbols, limit, only.command_id if isinstance(only, PoisonCommand) else only)
    if not inbox:
        return Turn()
    with _blamed_on(inbox, stocks):
        if long_timeout or any(row.kind in OF_WHOLE_BOOKS for row in inbox):
            session.execute(PATIENCE)
            answer_within(session, LONG_ANSWER_SECONDS)
        outcome, found, taken = _matched(session, stocks, inbox, books, poison)
        stored = store_matches(session, outcome)
    inbox, left = inbox[:taken], len(inbox) - taken
    taking = {row.stock_id: found[row.stock_id] for row in inbox}
    before_commit()
    with _blamed_on(inbox, stocks):
        settled = _committed(session, outcome, stored, taking, books)
    return Turn(
        commands=len(inbox),
        trades=len(outcome.executions),
        more=left > 0 or len(inbox) == limit,
        replies=[row.reply_to for row in inbox if row.reply_to],
        settled=settled,
        spared=[stock for stock_id, stock in found.items() if stock_id not in taking],
    )


def find_at_fault(session: Session, symbols: Sequence[str], books: Books, command_id: int) -> tuple[int, list[AtFault]]:
    """The stock of a command that breaks its turn, and the resting orders at fault: none where it is the command's own.

    The session's transaction must be rolled back, and the books forgotten.
    """
    stocks, inbox = take_inbox(session, symbols, 1, command_id)
    if not inbox:
        return 0, []
    session.execute(PATIENCE)
    answer_within(session, LONG_ANSWER_SECONDS)
    (row,) = inbox
    outcome, _, _ = _matched(session, stocks, inbox, books, None)
    return row.stock_id, orders_at_fault(session, outcome, row)


@contextmanager
def _blamed_on(inbox: Sequence[Any], stocks: Sequence[Any]) -> Iterator[None]:
    """Turns what is raised and will not pass into a BrokenTurn."""
    try:
        yield
    except StuckStock:
        raise
    except Exception as error:
        if is_passing(error):
            raise
        named = {row.stock_id for row in inbox}
        symbols = [stock.symbol for stock in stocks if stock.id in named]
        raise BrokenTurn([row.id for row in inbox], symbols) from error


def _matched(
    session: Session, stocks: Sequence[Any], inbox: Sequence[Any], books: Books, poison: PoisonCommand | None
) -> tuple[TurnOutcome, TakenStocks, int]:
    """The outcome of the commands, the stocks that they name, and the number of commands that were taken."""
    wanted = {row.stock_id for row in inbox}
    stocks = [stock for stock in stocks if stock.id in wanted]
    current = books.current(session, stocks)
    found = {stock.id: (stock, _turn_of(stock), current[stock.id]) for stock in stocks}
    outcome = TurnOutcome()
    taken = 0
    for row in inbox:
        _, turn, book = found[row.stock_id]
        if poison is None:
            _apply(outcome, turn, book, row)
        else:
            turn.command_sequence += 1
            outcome.refuse(turn, row, command_to_refuse(session, row), BROKEN, poison.report())
        taken += 1
        if len(outcome.reports) >= MOST_REPORTS:
            break
    return outcome, found, taken


def _turn_of(stock: Any) -> StockTurn:
    now = stock.now
    return StockTurn(
        stock.id,
        stock.symbol,
        stock.command_sequence,
        stock.event_sequence,
        stock.book_sequence,
        microseconds(now),
        timestamp(now),
    )


def _apply(outcome: TurnOutcome, stock: StockTurn, book: Book, row: Any) -> None:
    command = command_of(row)
    if isinstance(command, New) and command.order.id in book.orders:
        raise UnreadableCommand(f"order {command.order.id} has been in the book before")
    stock.command_sequence += 1
    if isinstance(command, Amend) and _underfunded(book, command, row.reserved):
        outcome.refuse(stock, row, command, UNDERFUNDED)
    else:
        reference = book.reference
        events = book.apply(command, stock.now)
        outcome.take(stock, row, command, events, reference)


def _underfunded(book: Book, command: Amend, reserved: int) -> bool:
    """True if an amendment would need more than the order has and what was set aside for it.

    `services.order_entry.amend` sets aside the most that it can need; this holds the line should that ever be wrong.
    """
    order = book.orders.get(command.id)
    if order is None or command.quantity is None:
        return False
    remaining = max(0, command.quantity - order.filled - order.cancelled)
    price = order.price if command.price is None else command.price
    return need_of(order, price, remaining) > need_of(order, order.price, order.remaining) + reserved


def _committed(
    session: Session, outcome: TurnOutcome, stored: Stored, stocks: TakenStocks, books: Books
) -> CommittedTurn:
    events = public_events(outcome, stored.trade_ids)
    in_order = [StockInTurn(stock, book) for _, (_, stock, book) in sorted(stocks.items())]
    for stock, book in in_order:
        stock.indicates = book.renew_indicative()
        stock.book_sequence += bool(stock.changed)
    committed = commit_movements(session, outcome, stored, books.accounts, events, in_order)
    return CommittedTurn(outcome, events, stored, committed, stocks)
