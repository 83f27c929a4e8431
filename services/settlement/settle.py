"""Store a turn's outcome: a handful of set-based statements in two round trips, never a statement for each fill.

COMMIT leaves with the second one, so that no Python runs while balances are locked.

Locks are taken in one order everywhere: stocks, then orders by id, then commands, then balances by (broker, asset).
Commands come after orders because a request to amend locks the order and then waits for whoever holds its last
amendment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from database.pipeline import Pipeline, committing_pipeline, numbers, pipeline, texts, words
from services.settlement.balance_rows import change_balances, read_positions, refusal_of
from services.settlement.ledger import Account, Ledger, broker_of, order_id_of
from services.settlement.order_rows import update_orders, update_specials
from services.settlement.statements import (
    INSERT_EVENTS,
    INSERT_TRADES,
    INSERT_TRANSFERS,
    TAKE_COMMANDS,
    UPDATE_MARKETS,
    UPDATE_STOCKS,
)
from services.settlement.turn_outcome import TurnOutcome


@dataclass(slots=True)
class Stored:
    """What the first round trip gives to the second, and to those who are told."""

    orders: dict[int, Any]
    """The orders' rows that the turn touched, by id: their lasting properties."""
    trade_ids: list[int]
    positions: list[Any]
    """The share accounts that the trades move, as they were read."""


@dataclass(frozen=True, slots=True)
class StockRows:
    """What the turn sets in `stocks`: for each stock what `UPDATE_STOCKS`, for few what `UPDATE_MARKETS` sets."""

    counters: Sequence[Sequence[Any]]
    markets: Sequence[Sequence[Any]]


def store_matches(session: Session, outcome: TurnOutcome) -> Stored:
    """Update the orders, sequence the commands, insert the trades, and read the positions that these move."""
    with pipeline(session) as sent:
        orders = update_orders(sent, outcome)
        update_specials(sent, outcome)
        _take_commands(sent, outcome)
        trades = _insert_trades(sent, outcome)
        positions = read_positions(sent, outcome.ledger)
    ids = {(row.stock_id, row.sequence): row.id for row in trades}
    trade_ids = [ids[one.stock_id, one.sequence] for one in outcome.executions]
    return Stored({row.id: row for row in orders}, trade_ids, list(positions))


def commit_movements(
    session: Session,
    outcome: TurnOutcome,
    stored: Stored,
    known: set[Account],
    events: Sequence[dict[str, Any]],
    stocks: StockRows,
) -> list[Any]:
    """Insert the transfers, append to the public tapes, advance the stocks, change the balances, and commit.

    Balances of `known` accounts are open; others that receive something are opened where need be. The balances that
    changed, or from which the turn's commands had reserved. Each event has `stock_id`, `sequence`, `kind` and a
    `payload` to be JSON. Raises MissingBalance, and Overtaken when shares came in from outside since `store_matches`;
    UncertainCommit as `database.session` says.
    """
    try:
        with committing_pipeline(session) as sent:
            _insert_transfers(sent, outcome.ledger, stored.trade_ids)
            _insert_events(sent, events)
            _update_stocks(sent, stocks)
            balances = change_balances(sent, outcome, known, stored.positions)
    except DataError as error:
        if refusal := refusal_of(error):
            raise refusal from error
        raise
    return list(balances)


def _take_commands(sent: Pipeline, outcome: TurnOutcome) -> None:
    """Give each command its sequence: from here on the journal says what happened."""
    commands = outcome.commands
    sent.send(
        TAKE_COMMANDS,
        numbers([one.id for one in commands]),
        numbers([one.sequence for one in commands]),
        words(one.sequenced_at for one in commands),
        words(one.refused for one in commands),
        texts(one.error for one in commands),
    )


def _insert_trades(sent: Pipeline, outcome: TurnOutcome) -> Iterable[Any]:
    executions = outcome.executions
    if not executions:
        return ()
    return sent.send(
        INSERT_TRADES,
        numbers([one.stock_id for one in executions]),
        numbers([one.sequence for one in executions]),
        numbers([one.command_sequence for one in executions]),
        numbers([one.price for one in executions]),
        numbers([one.quantity for one in executions]),
        numbers([one.reference_price for one in executions]),
        words(one.aggressor_side for one in executions),
        words(one.executed_at for one in executions),
        numbers([order_id_of(one.bid) for one in executions]),
        numbers([order_id_of(one.ask) for one in executions]),
        numbers([broker_of(one.bid) for one in executions]),
        numbers([broker_of(one.ask) for one in executions]),
    )


def _insert_transfers(sent: Pipeline, ledger: Ledger, trade_ids: Sequence[int]) -> None:
    movements = ledger.movements
    if not movements:
        return
    sent.send(
        INSERT_TRANSFERS,
        words(one.kind for one in movements),
        numbers([one.asset_id for one in movements]),
        numbers([one.amount for one in movements]),
        numbers([one.from_broker for one in movements]),
        words(one.from_bucket for one in movements),
        numbers([one.to_broker for one in movements]),
        words(one.to_bucket for one in movements),
        numbers([one.order_id for one in movements]),
        numbers([None if one.trade_index is None else trade_ids[one.trade_index] for one in movements]),
    )


def _insert_events(sent: Pipeline, events: Sequence[dict[str, Any]]) -> None:
    if not events:
        return
    sent.send(
        INSERT_EVENTS,
        numbers([event["stock_id"] for event in events]),
        numbers([event["sequence"] for event in events]),
        words(event["kind"] for event in events),
        texts(orjson.dumps(event["payload"]).decode() for event in events),
    )


def _update_stocks(sent: Pipeline, stocks: StockRows) -> None:
    ids, commands, sequences, moments, *prices = zip(*stocks.counters, strict=True)
    sent.send(UPDATE_STOCKS, numbers(ids), numbers(commands), numbers(sequences), words(moments), *map(numbers, prices))
    if stocks.markets:
        ids, states, changed, reasons, since, *indicative = zip(*stocks.markets, strict=True)
        told = words("true" if one else "false" for one in changed)
        fixed = (numbers(ids), words(states), told, texts(reasons), words(since))
        sent.send(UPDATE_MARKETS, *fixed, *map(numbers, indicative))
