"""Money and shares that enter and leave the exchange. Inside it they only move; see `settle` and `place`."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

MOVE_IN = text("""
    WITH entry AS (
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket)
        VALUES ('deposit', :asset_id, :amount, :broker_id, 'outside', :broker_id, 'available')
    )
    INSERT INTO balances AS b (broker_id, asset_id, available, credit_limit, cost)
    VALUES (:broker_id, :asset_id, :amount, :credit_limit, :cost)
    ON CONFLICT (broker_id, asset_id) DO UPDATE
    SET available = b.available + excluded.available, cost = b.cost + excluded.cost
""")

OPEN = text("""
    INSERT INTO balances (broker_id, asset_id, credit_limit) VALUES (:broker_id, :asset_id, :credit_limit)
    ON CONFLICT (broker_id, asset_id) DO UPDATE SET credit_limit = excluded.credit_limit
""")

LOCK = text("""
    SELECT b.broker_id, b.asset_id, b.available, b.reserved, b.cost, b.realised_pnl
    FROM balances b
    JOIN unnest(CAST(:broker_id AS bigint[]), CAST(:asset_id AS bigint[])) AS t (broker_id, asset_id)
        USING (broker_id, asset_id)
    ORDER BY b.broker_id, b.asset_id FOR NO KEY UPDATE OF b
""")

READ = text("""
    SELECT b.broker_id, b.asset_id, b.available, b.reserved
    FROM balances b
    JOIN unnest(CAST(:broker_id AS bigint[]), CAST(:asset_id AS bigint[])) AS t (broker_id, asset_id)
        USING (broker_id, asset_id)
""")

OPEN_SHORT = text("""
    INSERT INTO balances (broker_id, asset_id, credit_limit)
    SELECT b.id, t.asset_id, b.short_limit
    FROM unnest(CAST(:broker_id AS bigint[]), CAST(:asset_id AS bigint[])) AS t (broker_id, asset_id)
    JOIN brokers b ON b.id = t.broker_id
    WHERE b.short_limit > 0
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING
""")
"""A broker that may sell short gets its share balance, with its limit, when it first sells a stock."""


def lock_accounts(session: Session, accounts: Collection[tuple[int, int]]) -> Sequence[Row[Any]]:
    """The balances of these (broker, asset), locked to the commit, always in the same order.

    A transaction that locks accounts in several steps must lock them all here first, or two of them may wait for each
    other. Accounts that are not open are left out.
    """
    return session.execute(LOCK, _keys(accounts)).all()


def read_accounts(session: Session, accounts: Collection[tuple[int, int]]) -> Sequence[Row[Any]]:
    """The balances of these (broker, asset) as they are, locking nothing."""
    return session.execute(READ, _keys(accounts)).all() if accounts else []


def open_short_accounts(session: Session, accounts: Collection[tuple[int, int]]) -> None:
    """Open those of these (broker, stock) that are not, where the broker may sell short."""
    if accounts:
        session.execute(OPEN_SHORT, _keys(accounts))


def _keys(accounts: Collection[tuple[int, int]]) -> dict[str, list[int]]:
    return {"broker_id": [broker for broker, _ in accounts], "asset_id": [asset for _, asset in accounts]}


def open_account(session: Session, broker_id: int, asset_id: int, credit_limit: int = 0) -> None:
    """A balance of zero that may go down to minus `credit_limit` (cents or shares)."""
    session.execute(OPEN, {"broker_id": broker_id, "asset_id": asset_id, "credit_limit": credit_limit})


def deposit(
    session: Session, broker_id: int, asset_id: int, amount: int, *, cost: int = 0, credit_limit: int = 0
) -> None:
    """Bring `amount` (cents or shares) in from outside; shares come in at `cost` (cents in all)."""
    values = {"broker_id": broker_id, "asset_id": asset_id, "amount": amount, "cost": cost}
    session.execute(MOVE_IN, {**values, "credit_limit": credit_limit})
