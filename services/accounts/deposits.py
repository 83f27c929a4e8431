"""Money and shares that enter and leave the exchange. Inside it they only move; see `settle` and `place`."""

from sqlalchemy import text

from database.statements import Statements
from models.asset import LARGEST_SUPPLY
from services.errors import SupplyTooLarge

MOVE_IN = text("""
    WITH entry AS (
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket)
        VALUES ('deposit', :asset_id, :amount, :broker_id, 'outside', :broker_id, 'available')
    )
    INSERT INTO balances AS b (broker_id, asset_id, available, credit_limit, cost, blocked)
    SELECT id, :asset_id, :amount, :credit_limit, :cost, status = 'suspended' FROM brokers WHERE id = :broker_id
    ON CONFLICT (broker_id, asset_id) DO UPDATE
    SET available = b.available + excluded.available, cost = b.cost + excluded.cost
""")

RAISE_SUPPLY = text("""
    UPDATE assets SET supply = supply + :amount WHERE id = :asset_id AND supply <= :largest - :amount RETURNING supply
""")

OPEN = text("""
    INSERT INTO balances (broker_id, asset_id, credit_limit) VALUES (:broker_id, :asset_id, :credit_limit)
    ON CONFLICT (broker_id, asset_id) DO UPDATE SET credit_limit = excluded.credit_limit
""")


def open_account(session: Statements, broker_id: int, asset_id: int, credit_limit: int = 0) -> None:
    """A balance of zero that may go down to minus `credit_limit` (cents or shares)."""
    session.execute(OPEN, {"broker_id": broker_id, "asset_id": asset_id, "credit_limit": credit_limit})


def deposit(
    session: Statements, broker_id: int, asset_id: int, amount: int, *, cost: int = 0, credit_limit: int = 0
) -> None:
    """Bring `amount` (cents or shares) in from outside; shares come in at `cost` (cents in all).

    Raises SupplyTooLarge.
    """
    raise_supply(session, asset_id, amount)
    values = {"broker_id": broker_id, "asset_id": asset_id, "amount": amount, "cost": cost}
    session.execute(MOVE_IN, {**values, "credit_limit": credit_limit})


def raise_supply(session: Statements, asset_id: int, amount: int) -> None:
    """Count `amount` (cents or shares) that is brought in or may be lent. Raises SupplyTooLarge."""
    values = {"asset_id": asset_id, "amount": amount, "largest": LARGEST_SUPPLY}
    if session.scalar(RAISE_SUPPLY, values) is None:
        raise SupplyTooLarge(f"At most {LARGEST_SUPPLY} can exist in all.", largest_supply=LARGEST_SUPPLY)
