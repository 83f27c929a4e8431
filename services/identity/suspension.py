"""The kill switch: a suspended broker enters nothing, all its orders are cancelled, until it is let in again.

Every order reserves from an account of its broker, and the accounts are locked and blocked before the orders are looked
up: so what was accepted before is cancelled, and after the commit nothing is accepted, whatever a process still
believes of the broker's key.
"""

from sqlalchemy import text

from database.statements import Statements
from services.errors import UnknownBroker
from services.order_entry.changing.mass_cancel import QueuedCancels, cancel_all

SUSPENDED = "suspended"
ACTIVE = "active"

CLOSE_ONLY = "close_only"

LOCK = text("SELECT status FROM brokers WHERE id = :broker_id FOR NO KEY UPDATE")

SET_STATUS = text("""
    UPDATE brokers b SET status = CASE WHEN :status = 'active' AND EXISTS (
        SELECT FROM balances o WHERE o.broker_id = b.id AND o.owed > 0
    ) THEN 'close_only' ELSE :status END
    WHERE b.id = :broker_id RETURNING status
""")
"""Whoever owes to the guarantee account may only close what it has, however often it is let in."""

REPAID = text("""
    SELECT k.id FROM brokers k WHERE k.status = 'close_only'
        AND NOT EXISTS (SELECT FROM balances b WHERE b.broker_id = k.id AND b.owed > 0)
    ORDER BY k.id
""")

BLOCK = text("""
    WITH locked AS MATERIALIZED (
        SELECT broker_id, asset_id FROM balances WHERE broker_id = :broker_id
        ORDER BY broker_id, asset_id FOR NO KEY UPDATE
    )
    UPDATE balances b SET blocked = :blocked FROM locked l
    WHERE b.broker_id = l.broker_id AND b.asset_id = l.asset_id
""")


def suspend(session: Statements, broker_id: int) -> tuple[str, QueuedCancels]:
    """Keep the broker from entering orders, and ask for the cancels of all it has; its status before, and those.

    Raises UnknownBroker.
    """
    before, _ = _set_status(session, broker_id, SUSPENDED)
    return before, cancel_all(session, [broker_id])


def activate(session: Statements, broker_id: int) -> tuple[str, str]:
    """Let the broker enter orders again; its status before, and now. Raises UnknownBroker."""
    return _set_status(session, broker_id, ACTIVE)


def release_debtors(session: Statements) -> list[int]:
    """Let those enter orders again who owe nothing any more; their ids."""
    released = []
    for broker_id in session.scalars(REPAID):
        if session.scalar(LOCK, {"broker_id": broker_id}) == CLOSE_ONLY:
            _, status = _set_status(session, broker_id, ACTIVE)
            released += [broker_id] if status == ACTIVE else []
    return released


def _set_status(session: Statements, broker_id: int, status: str) -> tuple[str, str]:
    before = session.scalar(LOCK, {"broker_id": broker_id})
    if before is None:
        raise UnknownBroker(f"There is no broker {broker_id}.")
    now = str(session.scalar(SET_STATUS, {"broker_id": broker_id, "status": status}))
    session.execute(BLOCK, {"broker_id": broker_id, "blocked": now != ACTIVE})
    return str(before), now
