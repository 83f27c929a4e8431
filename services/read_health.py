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


BACKLOG = text("""
    SELECT s.group_name, count(*) AS waiting
    FROM (SELECT stock_id FROM commands WHERE sequence IS NULL LIMIT :most) c JOIN stocks s ON s.id = c.stock_id
    GROUP BY s.group_name
""")


def is_ready(session: Session) -> bool:
    """Whether the database answers and its tables are there. Raises what the database raises."""
    return bool(session.scalar(READY))


def inbox_is_stuck(session: Session, seconds: int) -> bool:
    """Whether some command has waited for its worker longer than `seconds`."""
    return bool(session.scalar(STUCK, {"seconds": seconds}))


def backlog_by_group(session: Session, most: int) -> dict[str, int]:
    """How many commands wait in each group, counting no more than `most` in all; groups without any are left out."""
    return {row.group_name: row.waiting for row in session.execute(BACKLOG, {"most": most})}
