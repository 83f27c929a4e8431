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

SET_STATUS = text("""
    UPDATE brokers b SET status = :status
    FROM (SELECT id, status FROM brokers WHERE id = :broker_id FOR NO KEY UPDATE) same
    WHERE b.id = same.id RETURNING same.status
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
    before = _set_status(session, broker_id, SUSPENDED)
    return before, cancel_all(session, [broker_id])


def activate(session: Statements, broker_id: int) -> str:
    """Let the broker enter orders again; its status before. Raises UnknownBroker."""
    return _set_status(session, broker_id, ACTIVE)


def _set_status(session: Statements, broker_id: int, status: str) -> str:
    before = session.scalar(SET_STATUS, {"broker_id": broker_id, "status": status})
    if before is None:
        raise UnknownBroker(f"There is no broker {broker_id}.")
    session.execute(BLOCK, {"broker_id": broker_id, "blocked": status == SUSPENDED})
    return str(before)
