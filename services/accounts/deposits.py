"""Money and shares that enter and leave the exchange. Inside it they only move; see `settle` and `place`.

The asset is locked before the balance, and the place among the broker's own events is looked up after both: whatever
was settled on this balance before is told by then, and what comes after has a higher number.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from models.accounts.asset import LARGEST_SUPPLY
from services.errors import InsufficientFunds, InsufficientShares, SupplyTooLarge

ADD = text("""
    INSERT INTO balances AS b (broker_id, asset_id, available, credit_limit, cost, blocked)
    SELECT id, :asset_id, :amount, :credit_limit, :cost, status <> 'active' FROM brokers WHERE id = :broker_id
    ON CONFLICT (broker_id, asset_id) DO UPDATE
    SET available = b.available + excluded.available, cost = b.cost + excluded.cost
    RETURNING b.available + b.reserved AS held
""")

LOCK = text("""
    SELECT available, available + reserved AS held, cost FROM balances
    WHERE broker_id = :broker_id AND asset_id = :asset_id FOR NO KEY UPDATE
""")

TAKE = text("""
    UPDATE balances SET available = available - :amount, cost = cost - :cost
    WHERE broker_id = :broker_id AND asset_id = :asset_id
""")

RECORD: Final = """
    WITH entry AS (
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket)
        VALUES (:kind, :asset_id, :amount, :broker_id, {buckets[0]}, :broker_id, {buckets[1]})
        RETURNING id, created_at
    ), more AS (
        INSERT INTO external_transfers (transfer_id, broker_id, asset_id, account_sequence, cost, reference)
        SELECT id, :broker_id, :asset_id,
            coalesce((SELECT sequence FROM account_counters WHERE broker_id = :broker_id), 0), :cost, :reference
        FROM entry
    )
    SELECT id, created_at FROM entry
"""
DEPOSIT, WITHDRAWAL = "deposit", "withdrawal"
ENTRIES: Final = {
    DEPOSIT: text(RECORD.format(buckets=("'outside'", "'available'"))),
    WITHDRAWAL: text(RECORD.format(buckets=("'available'", "'outside'"))),
}

RAISE_SUPPLY = text("""
    UPDATE assets SET supply = supply + :amount WHERE id = :asset_id AND supply <= :largest - :amount RETURNING supply
""")

LOCK_ASSET = text("SELECT id FROM assets WHERE id = :asset_id FOR NO KEY UPDATE")
LOWER_SUPPLY = text("UPDATE assets SET supply = supply - :amount WHERE id = :asset_id")

OPEN = text("""
    INSERT INTO balances (broker_id, asset_id, credit_limit) VALUES (:broker_id, :asset_id, :credit_limit)
    ON CONFLICT (broker_id, asset_id) DO UPDATE SET credit_limit = excluded.credit_limit
""")


@dataclass(frozen=True, slots=True)
class Moved:
    """What came in or went out: `amount` and `cost` are negative for a withdrawal."""

    transfer_id: int
    moved_at: datetime
    kind: str
    amount: int
    cost: int
    balance_after: int
    """Available and reserved together."""


def open_account(session: Statements, broker_id: int, asset_id: int, credit_limit: int = 0) -> None:
    """A balance of zero that may go down to minus `credit_limit` (cents or shares)."""
    session.execute(OPEN, {"broker_id": broker_id, "asset_id": asset_id, "credit_limit": credit_limit})


def deposit(
    session: Statements,
    broker_id: int,
    asset_id: int,
    amount: int,
    *,
    cost: int = 0,
    credit_limit: int = 0,
    reference: str | None = None,
) -> Moved:
    """Bring `amount` (cents or shares) in from outside; shares come in at `cost` (cents in all).

    `credit_limit` is that of an account which is opened by it. Raises SupplyTooLarge.
    """
    raise_supply(session, asset_id, amount)
    values = {"broker_id": broker_id, "asset_id": asset_id, "amount": amount, "cost": cost}
    held = session.scalar(ADD, {**values, "credit_limit": credit_limit})
    return _recorded(session, DEPOSIT, values, reference, int(held))


def withdraw(session: Statements, broker_id: int, asset_id: int, amount: int, reference: str | None = None) -> Moved:
    """Let `amount` (cents or shares) that are available leave; shares take their part of the position's cost along.

    A fraction of a cent stays with what remains, as with a sale. A credit or short line is nothing that could be taken
    out. Raises InsufficientFunds, InsufficientShares.
    """
    session.execute(LOCK_ASSET, {"asset_id": asset_id})
    row = session.execute(LOCK, {"broker_id": broker_id, "asset_id": asset_id}).one_or_none()
    available = row.available if row else 0
    if row is None or available < amount:
        refusal = InsufficientFunds if asset_id == CASH else InsufficientShares
        raise refusal(
            f"{amount} are to be withdrawn, and {max(0, available)} are available.",
            required=amount,
            available=max(0, available),
        )
    part = 0 if asset_id == CASH else int(row.cost) * amount // row.held
    values = {"broker_id": broker_id, "asset_id": asset_id, "amount": amount, "cost": part}
    session.execute(TAKE, values)
    session.execute(LOWER_SUPPLY, {"asset_id": asset_id, "amount": amount})
    return _recorded(session, WITHDRAWAL, {**values, "cost": -part}, reference, row.held - amount)


def _recorded(session: Statements, kind: str, values: dict[str, int], reference: str | None, held: int) -> Moved:
    row: Any = session.execute(ENTRIES[kind], {**values, "kind": kind, "reference": reference}).one()
    amount = values["amount"] if kind == DEPOSIT else -values["amount"]
    return Moved(row.id, row.created_at, kind, amount, values["cost"], held)


def raise_supply(session: Statements, asset_id: int, amount: int) -> None:
    """Count `amount` (cents or shares) that is brought in or may be lent. Raises SupplyTooLarge."""
    values = {"asset_id": asset_id, "amount": amount, "largest": LARGEST_SUPPLY}
    if session.scalar(RAISE_SUPPLY, values) is None:
        raise SupplyTooLarge(f"At most {LARGEST_SUPPLY} can exist in all.", largest_supply=LARGEST_SUPPLY)
