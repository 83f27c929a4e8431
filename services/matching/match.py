"""One turn of a worker: lock the stocks, read their inboxes, match, settle and commit. Then the caller tells."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.errors import is_passing
from database.timed import answer_within
from database.transaction import Transaction
from services.matching.at_fault import AtFault, orders_at_fault
from services.matching.books import Books, StuckStock
from services.matching.bust_turn import BUST, BustTurn, before_a_bust
from services.matching.carry_out import carry_out
from services.matching.inbox import take_inbox
from services.matching.messages import public_events
from services.matching.poison import BrokenTurn, PoisonCommand
from services.matching.turn import CommittedTurn, TakenStock, TakenStocks, Turn, shown_book
from services.order_entry.command_result import CommandResult
from services.settlement.settle import store_turn
from services.settlement.stock_rows import StockInTurn
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import Announcement
from services.stocks.trading_states import ROLL, STATE, UNCROSS
from settings.clearing import Clearing

PATIENCE = text("SET LOCAL idle_in_transaction_session_timeout = '30s'")
"""One command may by itself bring more than a turn should, and cannot be divided: the opening of a market, or an order
that sweeps through a hundred thousand others."""

ANSWER_SECONDS = 10
LONG_ANSWER_SECONDS = 30
"""How long PostgreSQL may take to answer before its connection is given up; longer for a turn that was lost so, and for
whole books."""

OF_WHOLE_BOOKS = frozenset({STATE, UNCROSS, ROLL})


class Hooks(NamedTuple):
    """What the caller does amid a turn, and knows of the settings."""

    before_commit: Callable[[], None] = lambda: None
    """When all that is left is one way to PostgreSQL, with COMMIT as its end; what it raises is raised as it is."""
    meanwhile: Callable[[], None] = lambda: None
    """While PostgreSQL is at that."""
    about_state: Callable[[TakenStock, Announcement], Mapping[str, Any]] = lambda stock, announcement: {}
    """What is told of a new trading state besides: what only the settings know."""
    clearing: Clearing = Clearing()
    """The rules by which busts are done."""


NO_HOOKS = Hooks()


def match_turn(
    session: Transaction,
    symbols: Sequence[str],
    books: Books,
    limit: int,
    only: PoisonCommand | int | None = None,
    hooks: Hooks = NO_HOOKS,
    long_timeout: bool = False,
) -> Turn:
    """Take at most `limit` waiting commands of these stocks, match and settle them, and commit.

    It takes fewer where they bring very much; `long_timeout`, it may be silent for longer than a worker otherwise may.
    With `only` it takes that one command (its id); a PoisonCommand is refused with its error's report instead of
    matched. Books in memory are changed as the turn goes on; if this raises the caller must `forget` them, else it
    calls the turn's `committed`. Raises BrokenTurn, from whatever broke it; StuckStock for a stock whose book cannot be
    rebuilt; errors that will pass (`database.errors`) as they are.
    """
    answer_within(session, LONG_ANSWER_SECONDS if long_timeout else ANSWER_SECONDS)
    poison = only if isinstance(only, PoisonCommand) else None
    only_id = only.command_id if isinstance(only, PoisonCommand) else only
    stocks, inbox = take_inbox(session, symbols, limit, books.trade_ids, only_id)
    if not inbox:
        return Turn()
    waiting, inbox = len(inbox), before_a_bust(inbox)
    if inbox[0].kind == BUST and poison is None:
        return _bust_turn(session, stocks, inbox, waiting, books, hooks)
    with _blamed_on(inbox, stocks):
        if long_timeout or any(row.kind in OF_WHOLE_BOOKS for row in inbox):
            session.execute(PATIENCE)
            answer_within(session, LONG_ANSWER_SECONDS)
        outcome, found, taken = carry_out(session, stocks, inbox, books, poison)
        outcome.hooked = books.hooks.current(session, inbox[0].hooks_version)
        trade_ids = books.trade_ids.take(session, len(outcome.executions))
    inbox = inbox[:taken]
    taking = {row.stock_id: found[row.stock_id] for row in inbox}
    hooks.before_commit()
    with _blamed_on(inbox, stocks):
        settled = _committed(session, outcome, trade_ids, taking, books, hooks)
    return Turn(
        commands=len(inbox),
        trades=len(outcome.executions),
        more=taken < waiting or waiting == limit,
        replies=_replies(inbox, outcome, taking),
        settled=settled,
        spared=[stock for stock_id, stock in found.items() if stock_id not in taking],
    )


def find_at_fault(session: Session, symbols: Sequence[str], books: Books, command_id: int) -> tuple[int, list[AtFault]]:
    """The stock of a command that breaks its turn, and the resting orders at fault: none where it is the command's own.

    The session's transaction must be rolled back, and the books forgotten.
    """
    stocks, inbox = take_inbox(session, symbols, 1, books.trade_ids, command_id)
    if not inbox:
        return 0, []
    session.execute(PATIENCE)
    answer_within(session, LONG_ANSWER_SECONDS)
    (row,) = inbox
    outcome, _, _ = carry_out(session, stocks, inbox, books, None)
    return row.stock_id, orders_at_fault(session, outcome, row)


def _bust_turn(
    session: Transaction,
    stocks: Sequence[Any],
    inbox: Sequence[Any],
    waiting: int,
    books: Books,
    hooks: Hooks,
) -> Turn:
    """The turn of the busts that an inbox of so many `waiting` commands begins with."""
    with _blamed_on(inbox, stocks):
        turn = BustTurn(session, stocks, inbox, books, hooks.clearing)
    hooks.before_commit()
    with _blamed_on(inbox, stocks):
        settled = turn.store(hooks.meanwhile)
    replies = _replies(inbox, turn.outcome, turn.stocks)
    return Turn(len(inbox), more=waiting > len(inbox), replies=replies, settled=settled)


def _replies(inbox: Sequence[Any], outcome: TurnOutcome, stocks: TakenStocks) -> list[tuple[str, CommandResult]]:
    """What is said to those who wait for one of the commands."""
    replies = []
    for row, command in zip(inbox, outcome.commands, strict=True):
        if row.reply_to:
            _, _, book = stocks[row.stock_id]
            result = CommandResult(command.sequence, command.refused, row.order_id in book.orders)
            replies.append((row.reply_to, result))
    return replies


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


def _committed(
    session: Transaction,
    outcome: TurnOutcome,
    trade_ids: Sequence[int],
    stocks: TakenStocks,
    books: Books,
    hooks: Hooks,
) -> CommittedTurn:
    facts = [hooks.about_state(stocks[said.stock_id], said) for said in outcome.announcements]
    events = public_events(outcome, trade_ids, facts)
    in_order = [StockInTurn(stock, book) for _, (_, stock, book) in sorted(stocks.items())]
    for stock, book in in_order:
        stock.indicates = book.renew_indicative()
        stock.book_sequence += bool(stock.changed)
    shown: dict[int, dict[int, bytes]] = {}

    def show() -> None:
        """The books are already as they will be when this is committed."""
        hooks.meanwhile()
        shown.update((stock_id, shown_book(stock, books)) for stock_id, stock in stocks.items())

    stored = store_turn(session, outcome, trade_ids, books.accounts, events, in_order, show)
    return CommittedTurn(outcome, events, trade_ids, stored, stocks, shown)
