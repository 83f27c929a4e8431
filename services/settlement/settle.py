"""Store a turn's outcome: a handful of set-based statements in two round trips, never a statement for each fill.

COMMIT leaves with the second one, so that no Python runs while balances are locked.

Locks are taken in one order everywhere: stocks, then orders by id, then commands, then the counters of account events
by broker, then balances by (broker, asset). Commands come after orders because a request to amend locks the order and
then waits for whoever holds its last amendment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from database.pipeline import committing_pipeline, pipeline
from services.settlement.account_events import add_account_events
from services.settlement.appended_rows import insert_events, insert_trades, insert_transfers, take_commands
from services.settlement.balance_rows import change_balances, read_positions, refusal_of
from services.settlement.ledger import Account
from services.settlement.order_rows import update_orders, update_specials
from services.settlement.stock_rows import StockInTurn, update_stocks
from services.settlement.turn_outcome import TurnOutcome


@dataclass(slots=True)
class Stored:
    """The rows that the first round trip gives to the second, and to the messages."""

    orders: dict[int, Any]
    """The orders' rows that the turn touched, by id: their lasting properties."""
    trade_ids: list[int]
    positions: list[Any]
    """The share accounts that the trades move, as they were read."""


@dataclass(slots=True)
class Committed:
    """The rows that the second round trip gives to the messages."""

    balances: list[Any]
    """Those that changed, or from which the turn's commands had reserved."""
    last_events: dict[int, int]
    """The number of the last account event of each broker that was told something."""


def store_matches(session: Session, outcome: TurnOutcome) -> Stored:
    """Update the orders, sequence the commands, insert the trades, and read the positions that these move."""
    with pipeline(session) as sent:
        orders = update_orders(sent, outcome)
        update_specials(sent, outcome)
        take_commands(sent, outcome)
        trades = insert_trades(sent, outcome)
        positions = read_positions(sent, outcome.ledger)
    ids = {(row.stock_id, row.sequence): row.id for row in trades}
    trade_ids = [ids[execution.stock_id, execution.sequence] for execution in outcome.executions]
    return Stored({row.id: row for row in orders}, trade_ids, list(positions))


def commit_movements(
    session: Session,
    outcome: TurnOutcome,
    stored: Stored,
    known: set[Account],
    events: Sequence[dict[str, Any]],
    stocks: Sequence[StockInTurn],
) -> Committed:
    """Insert the transfers, append to the tapes, advance the stocks, tell the brokers, change the balances, and commit.

    Balances of `known` accounts are open; others that receive something are opened where need be. Each event has
    `stock_id`, `sequence`, `kind` and a `payload` to be JSON. Raises MissingBalance, and Overtaken when shares came
    in from outside since `store_matches`; UncertainCommit as `database.session` says.
    """
    try:
        with committing_pipeline(session) as sent:
            insert_transfers(sent, outcome.ledger, stored.trade_ids)
            insert_events(sent, events)
            update_stocks(sent, stocks)
            told = add_account_events(sent, outcome, stored.trade_ids)
            balances = change_balances(sent, outcome, known, stored.positions)
    except DBAPIError as error:
        if refusal := refusal_of(error):
            raise refusal from error
        raise
    return Committed(list(balances), {row.broker_id: row.sequence for row in told})
