"""The dead man's switch: a broker that falls silent has all its orders cancelled."""

from datetime import datetime

from sqlalchemy import text

from database.statements import Statements
from services.order_entry.changing.mass_cancel import cancel_all

ARM = text("""
    UPDATE brokers
    SET cancel_after = CASE WHEN :seconds > 0 THEN clock_timestamp() + :seconds * interval '1 second' END
    WHERE id = :broker_id RETURNING cancel_after
""")

TAKE_DUE = text("""
    UPDATE brokers SET cancel_after = NULL WHERE cancel_after <= clock_timestamp() RETURNING id
""")


def arm(session: Statements, broker_id: int, seconds: int) -> datetime | None:
    """Have all the broker's orders cancelled in so many seconds, unless it arms again before; 0 turns the switch off.

    When that will be, None for never.
    """
    due: datetime | None = session.scalar(ARM, {"broker_id": broker_id, "seconds": seconds})
    return due


def cancel_for_the_silent(session: Statements) -> list[tuple[str, str]]:
    """Put the cancels of all brokers whose time is over into the inbox; the stocks to wake, as (symbol, group)."""
    silent = session.scalars(TAKE_DUE).all()
    return list(cancel_all(session, silent).stocks) if silent else []
