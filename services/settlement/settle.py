"""Store a turn's outcome: a handful of set-based statements in one round trip, never a statement for each fill.

COMMIT leaves with them, so that no Python runs while anything is locked that others wait for, but the stocks.

Locks are taken in one order everywhere: stocks, then orders by id, then commands, then the counters of account events
by broker, then balances by (broker, asset). Commands come after orders because a request to amend locks the order and
then waits for whoever holds its last amendment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DBAPIError

from database.pipeline import committing_pipeline
from database.transaction import Transaction
from services.settlement.account_events import add_account_events
from services.settlement.appended_rows import insert_events, insert_trades, insert_transfers, take_commands
from services.settlement.balance_rows import change_balances, refusal_of
from services.settlement.ledger import Account
from services.settlement.order_rows import update_orders, update_specials
from services.settlement.stock_rows import StockInTurn, update_stocks
from services.settlement.turn_outcome import TurnOutcome


@dataclass(slots=True)
class StoredTurn:
    """The rows that the statements of a turn give to its messages."""

    orders: dict[int, Any]
    """The orders' rows that the turn touched, by id: their lasting properties."""
    balances: list[Any]
    """Those that changed, or from which the turn's commands had reserved."""
    last_events: dict[int, int]
    """The number of the last account event of each broker that was told something."""


def store_turn(
    session: Transaction,
    outcome: TurnOutcome,
    trade_ids: Sequence[int],
    known: set[Account],
    events: Sequence[dict[str, Any]],
    stocks: Sequence[StockInTurn],
    meanwhile: Callable[[], None],
) -> StoredTurn:
    """Store all of it and commit.

    `trade_ids` are those of the outcome's executions. Balances of `known` accounts are open; others that receive
    something are opened where need be. Each event has `stock_id`, `sequence`, `kind` and a `payload` to be JSON.
    `meanwhile` is done while PostgreSQL works. Raises MissingBalance; UncertainCommit as `database.session` says.
    """
    try:
        with committing_pipeline(session, meanwhile) as sent:
            orders = update_orders(sent, outcome)
            update_specials(sent, outcome)
            take_commands(sent, outcome)
            insert_trades(sent, outcome, trade_ids)
            insert_transfers(sent, outcome.ledger, trade_ids)
            insert_events(sent, events)
            update_stocks(sent, stocks)
            told = add_account_events(sent, outcome, trade_ids)
            balances = change_balances(sent, outcome, known)
    except DBAPIError as error:
        if refusal := refusal_of(error):
            raise refusal from error
        raise
    return StoredTurn({row.id: row for row in orders}, list(balances), {row.broker_id: row.sequence for row in told})
