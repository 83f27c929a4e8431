"""Whether the database answers and the books are being matched."""

from sqlalchemy import text
from sqlalchemy.orm import Session

READY = text("SELECT EXISTS (SELECT 1 FROM assets)")

STUCK = text("""
    SELECT EXISTS (
        SELECT 1 FROM commands
        WHERE sequence IS NULL AND created_at < clock_timestamp() - :seconds * interval '1 second'
    )
""")


def is_ready(session: Session) -> bool:
    """Whether the database answers and its tables are there. Raises what the database raises."""
    return bool(session.scalar(READY))


def inbox_is_stuck(session: Session, seconds: int) -> bool:
    """Whether some command has waited for its worker longer than `seconds`."""
    return bool(session.scalar(STUCK, {"seconds": seconds}))
