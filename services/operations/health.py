"""Whether the database answers and the books are being matched."""

from sqlalchemy import text

from database.statements import Statements

READY = text("SELECT EXISTS (SELECT 1 FROM assets)")

STUCK = text("""
    SELECT EXISTS (
        SELECT 1 FROM commands
        WHERE sequence IS NULL AND created_at < clock_timestamp() - :seconds * interval '1 second'
    )
""")


BACKLOG = text("""
    SELECT g.group_name, (
        SELECT count(*) FROM (
            SELECT 1 FROM stocks s CROSS JOIN LATERAL (
                SELECT 1 FROM commands c WHERE c.stock_id = s.id AND c.sequence IS NULL LIMIT :most
            ) of_stock
            WHERE s.group_name = g.group_name LIMIT :most
        ) of_group
    ) AS waiting
    FROM (SELECT DISTINCT group_name FROM stocks) g
""")
"""Each group is counted for itself and never beyond `most`, so that a deep one costs little and hides no other."""


def is_ready(session: Statements) -> bool:
    """Whether the database answers and its tables are there. Raises what the database raises."""
    return bool(session.scalar(READY))


def inbox_is_stuck(session: Statements, seconds: int) -> bool:
    """Whether some command has waited for its worker longer than `seconds`."""
    return bool(session.scalar(STUCK, {"seconds": seconds}))


def backlog_by_group(session: Statements, most: int) -> dict[str, int]:
    """How many commands wait in each group that has stocks; a group is counted to `most` and no further."""
    return {row.group_name: row.waiting for row in session.execute(BACKLOG, {"most": most})}
