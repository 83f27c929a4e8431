"""What a turn changes on balances: read without a lock, and changed by its last statement before COMMIT.

Whoever places an order waits for the balances that a turn has locked, and many brokers' cash is among them. So they are
locked by the statement that changes them, and nothing but COMMIT follows. Only average cost needs to know what was
there before: of the shares that were traded. The statement checks that it is still so; placing orders moves shares
between available and reserved and does no harm, a deposit does.
"""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from sqlalchemy.exc import DBAPIError

from database.columns import literals, number, unnest, word
from database.errors import Overtaken
from database.pipeline import Pipeline
from services.settlement.average_cost import average_cost
from services.settlement.ledger import Account, BalanceChange, Ledger
from services.settlement.turn_outcome import TurnOutcome

ACCOUNTS = (number("broker_id", itemgetter(0)), number("asset_id", itemgetter(1)))

READ_POSITIONS = f"""
    SELECT b.broker_id, b.asset_id, b.available, b.reserved, b.cost
    FROM {unnest(ACCOUNTS)}
    JOIN balances b ON b.broker_id = t.broker_id AND b.asset_id = t.asset_id
"""  # noqa: S608 - names of this file

OPEN_BALANCES = f"""
    INSERT INTO balances (broker_id, asset_id, credit_limit, blocked)
    SELECT t.broker_id, t.asset_id, CASE t.asset_id WHEN 1 THEN 0 ELSE b.short_limit END, b.status = 'suspended'
    FROM {unnest(ACCOUNTS)}
    JOIN brokers b ON b.id = t.broker_id
    WHERE NOT EXISTS (SELECT FROM balances o WHERE o.broker_id = t.broker_id AND o.asset_id = t.asset_id)
    ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""  # noqa: S608 - names of this file
"""What a broker gets for the first time. Opened before any balance is locked: one that appeared between two locking
statements would be locked out of order. Until the commit only who opens the same one waits."""

MISSING, MOVED = "MX001", "MX002"
"""The SQLSTATE of what this statement refuses by itself (`refuse_turn` of the migrations)."""

CHANGES = (
    number("broker_id", itemgetter(0)),
    number("asset_id", itemgetter(1)),
    number("available", itemgetter(2)),
    number("reserved", itemgetter(3)),
    number("traded", itemgetter(4)),
    number("held", itemgetter(5)),
    number("cost", itemgetter(6), "numeric"),
    number("more_cost", itemgetter(7), "numeric"),
    number("realised", itemgetter(8), "numeric"),
    number("closed", itemgetter(9)),
    word("told", itemgetter(10), "boolean"),
)
"""`closed`: how many open orders it counts no more; `told`: whether its owner is, for more than that has changed."""

CHANGE_BALANCES = f"""
    WITH locked AS MATERIALIZED (
        SELECT t.* FROM {unnest(CHANGES)}
        JOIN balances b ON b.broker_id = t.broker_id AND b.asset_id = t.asset_id
        ORDER BY b.broker_id, b.asset_id FOR NO KEY UPDATE OF b
    ), changed AS (
        UPDATE balances b SET available = b.available + t.available, reserved = b.reserved + t.reserved,
            traded = b.traded + t.traded, cost = b.cost + t.more_cost, realised_pnl = b.realised_pnl + t.realised,
            open_orders = GREATEST(b.open_orders - t.closed, 0)
        FROM locked t
        WHERE b.broker_id = t.broker_id AND b.asset_id = t.asset_id
            AND (t.held IS NULL OR b.available + b.reserved = t.held AND b.cost = t.cost)
        RETURNING b.broker_id, b.asset_id, b.available, b.reserved, t.told
    )
    SELECT broker_id, asset_id, available, reserved FROM changed WHERE told
    UNION ALL
    SELECT b.broker_id, b.asset_id, b.available, b.reserved
    FROM {unnest(ACCOUNTS, first=len(CHANGES) + 1)}
    JOIN balances b ON b.broker_id = t.broker_id AND b.asset_id = t.asset_id
    UNION ALL
    SELECT NULL, NULL, NULL, NULL WHERE
        CASE WHEN (SELECT count(*) FROM locked) < cardinality($1) THEN refuse_turn('{MISSING}')
            WHEN (SELECT count(*) FROM changed) < cardinality($1) THEN refuse_turn('{MOVED}') END
"""  # noqa: S608 - the names are ours
"""Also reads the balances that the turn's commands had reserved from and that the turn itself leaves alone.

Where not every balance can be changed the last part raises, so that PostgreSQL itself refuses the COMMIT that is
already on its way; it gives no row.
"""


class MissingBalance(Exception):
    """A turn was to change a balance that the worker took for open and that is not."""


def read_positions(sent: Pipeline, ledger: Ledger) -> Iterable[Any]:
    """Ask for the share accounts that trades move, as they are now."""
    traded = [account for account, change in ledger.changes.items() if change.trades]
    return sent.send(READ_POSITIONS, *keys(traded)) if traded else ()


def change_balances(
    sent: Pipeline, outcome: TurnOutcome, known: set[Account], positions: Iterable[Any]
) -> Iterable[Any]:
    """Open what has to be opened and change the balances; only COMMIT may follow.

    Balances of `known` accounts are open; `positions` are the rows that `read_positions` asked for. Gives the balances
    that were changed, or from which the turn's commands had reserved. What it raises `refusal_of` explains.
    """
    changes, closed = outcome.ledger.changes, outcome.closed()
    if new := outcome.ledger.receiving - known:
        sent.send(OPEN_BALANCES, *keys(new))
    told = changes.keys() | outcome.reserving
    changes = {**{account: BalanceChange() for account in closed}, **changes}
    if not told and not changes:
        return ()
    held = {(row.broker_id, row.asset_id): (row.available + row.reserved, int(row.cost)) for row in positions}
    rows = [
        (*account, *_moved(change, held.get(account, (0, 0))), closed[account], "true" if account in told else "false")
        for account, change in changes.items()
    ]
    return sent.send(CHANGE_BALANCES, *literals(CHANGES, rows), *keys(told - changes.keys()))


def _moved(change: BalanceChange, held: tuple[int, int]) -> tuple[int | None, ...]:
    moved = (change.available, change.reserved, change.traded)
    if not change.trades:
        return *moved, None, None, 0, 0
    shares, cost = held
    new_cost, realised = average_cost(shares, cost, 0, change.trades)
    return *moved, shares, cost, new_cost - cost, realised


def refusal_of(error: DBAPIError) -> Exception | None:
    """The exception that an error of `change_balances` stands for: MissingBalance, Overtaken, or None for any other."""
    state = getattr(error.orig, "sqlstate", None)
    if state == MISSING:
        return MissingBalance()
    return Overtaken("a position is not as it was read") if state == MOVED else None


def keys(accounts: Iterable[Account]) -> list[str]:
    """The brokers and the assets of these accounts, in their order."""
    return literals(ACCOUNTS, sorted(accounts))
