"""What a turn changes on balances: by its last statement before COMMIT.

Whoever places an order waits for the balances that a turn has locked, and many brokers' cash is among them. So they are
locked by the statement that changes them, and nothing but COMMIT follows. What a position costs after its trades is
worked out there, too, from the row as it is locked (`average_cost` of the migrations): nothing has to be read
beforehand, and nobody can come between.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from sqlalchemy.exc import DBAPIError

from database.columns import literals, number, quoted, unnest, word
from database.errors import sqlstate
from database.literals import numbers
from database.pipeline import Pipeline
from models.accounts.broker import OWN
from services.settlement.ledger import Account, BalanceChange
from services.settlement.turn_outcome import TurnOutcome

ACCOUNTS = (number("broker_id", itemgetter(0)), number("asset_id", itemgetter(1)))

OPEN_BALANCES = f"""
    INSERT INTO balances (broker_id, asset_id, credit_limit, blocked)
    SELECT t.broker_id, t.asset_id, CASE t.asset_id WHEN 1 THEN 0 ELSE b.short_limit END, b.status <> 'active'
    FROM {unnest(ACCOUNTS)}
    JOIN brokers b ON b.id = t.broker_id
    WHERE NOT EXISTS (SELECT FROM balances o WHERE o.broker_id = t.broker_id AND o.asset_id = t.asset_id)
    ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""  # noqa: S608 - names of this file
"""What a broker gets for the first time. Opened before any balance is locked: one that appeared between two locking
statements would be locked out of order. Until the commit only who opens the same one waits."""

MISSING = "MX001"
"""The SQLSTATE of what this statement refuses by itself (`refuse_turn` of the migrations)."""


def _trades(place: int) -> Callable[[Any], str | None]:
    """The signed shares (0) or prices (1) of the trades that move a position, as an array; None for one without."""
    return lambda row: numbers([trade[place] for trade in row.change.trades]) if row.change.trades else None


class _Row(NamedTuple):
    account: Account
    change: BalanceChange
    closed: int
    told: bool


CHANGES = (
    number("broker_id", lambda row: row.account[0]),
    number("asset_id", lambda row: row.account[1]),
    number("available", attrgetter("change.available")),
    number("reserved", attrgetter("change.reserved")),
    number("traded", attrgetter("change.traded")),
    number("closed", attrgetter("closed")),
    word("told", lambda row: "true" if row.told else "false", "boolean"),
    quoted("shares", _trades(0)),
    quoted("prices", _trades(1)),
)
"""`closed`: how many open orders it counts no more; `told`: whether its owner is, for more than that has changed. The
exchange itself never is."""

CHANGE_BALANCES = f"""
    WITH changed AS (
        UPDATE balances b SET available = b.available + t.available, reserved = b.reserved + t.reserved,
            traded = b.traded + t.traded, open_orders = GREATEST(b.open_orders - t.closed, 0),
            (cost, realised_pnl) = (
                SELECT coalesce(c.cost, b.cost), b.realised_pnl + coalesce(c.realised, 0)
                FROM average_cost(
                    b.available + b.reserved - b.owed, b.cost, t.shares::bigint[], t.prices::bigint[]
                ) AS c
            )
        FROM {unnest(CHANGES)}
        WHERE b.broker_id = t.broker_id AND b.asset_id = t.asset_id
        RETURNING b.broker_id, b.asset_id, b.reserved, t.told, CASE b.owed WHEN 0 THEN b.available
            ELSE CAST(b.available - least(b.owed, CAST(b.available AS numeric) + b.credit_limit) AS bigint) END
            AS available
    )
    SELECT broker_id, asset_id, available, reserved FROM changed WHERE told
    UNION ALL
    SELECT b.broker_id, b.asset_id, b.available, b.reserved
    FROM {unnest(ACCOUNTS, first=len(CHANGES) + 1)}
    JOIN balances b ON b.broker_id = t.broker_id AND b.asset_id = t.asset_id
    UNION ALL
    SELECT NULL, NULL, NULL, NULL
    WHERE CASE WHEN (SELECT count(*) FROM changed) < cardinality($1) THEN refuse_turn('{MISSING}') END
"""  # noqa: S608 - the names are ours
"""Locks the balances in the order of the list, as `UPDATE_ORDERS` does. What a position costs is worked out from the
row as it is by then; for one without trades `average_cost` gives NULL. What comes to a broker that owes some repays
when this is committed, and it is told what it has then. Also reads the balances that the turn's commands had reserved
from and that the turn itself leaves alone.

Where not every balance can be changed the last part raises, so that PostgreSQL itself refuses the COMMIT that is
already on its way; it gives no row.
"""


class MissingBalance(Exception):
    """A turn was to change a balance that the worker took for open and that is not."""


def change_balances(sent: Pipeline, outcome: TurnOutcome, known: set[Account]) -> Iterable[Any]:
    """Open what has to be opened and change the balances; only COMMIT may follow.

    Balances of `known` accounts are open. Gives the balances that were changed, or from which the turn's commands had
    reserved. What it raises `refusal_of` explains.
    """
    changes, closed = outcome.ledger.changes, outcome.closed()
    if new := outcome.ledger.receiving - known:
        sent.send(OPEN_BALANCES, *keys(new))
    told = changes.keys() | outcome.reserving
    changes = {**{account: BalanceChange() for account in closed}, **changes}
    if not told and not changes:
        return ()
    rows = [
        _Row(account, changes[account], closed[account], account in told and account[0] > OWN)
        for account in sorted(changes)
    ]
    return sent.send(CHANGE_BALANCES, *literals(CHANGES, rows), *keys(told - changes.keys()))


def refusal_of(error: DBAPIError) -> MissingBalance | None:
    """MissingBalance for an error of `change_balances` that stands for it; None for any other."""
    return MissingBalance() if sqlstate(error) == MISSING else None


def keys(accounts: Iterable[Account]) -> list[str]:
    """The brokers and the assets of these accounts, in their order."""
    return literals(ACCOUNTS, sorted(accounts))
