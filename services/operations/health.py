"""Whether the database answers and the books are being matched."""

from typing import Any

from sqlalchemy import text

from database.statements import Statements

READY = text("SELECT EXISTS (SELECT 1 FROM assets)")

OLDEST = """
    WITH RECURSIVE oldest AS (
        (SELECT stock_id, created_at FROM commands WHERE sequence IS NULL ORDER BY stock_id, id LIMIT 1)
        UNION ALL
        SELECT following.stock_id, following.created_at FROM oldest CROSS JOIN LATERAL (
            SELECT stock_id, created_at FROM commands WHERE sequence IS NULL AND stock_id > oldest.stock_id
            ORDER BY stock_id, id LIMIT 1
        ) AS following
    )
"""
"""The oldest command of each inbox that has any, one look into the index for each: a hundred thousand may wait."""

STUCK = text(f"""
    {OLDEST} SELECT s.symbol, s.group_name,
        CAST(extract(epoch FROM clock_timestamp() - created_at) AS bigint) AS seconds
    FROM oldest JOIN stocks s ON s.id = stock_id
    WHERE created_at < clock_timestamp() - :seconds * interval '1 second'
    ORDER BY created_at, s.symbol LIMIT :most
""")  # noqa: S608 - a constant of this file

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
    """True if the database answers and its tables are there. Raises what the database raises."""
    return bool(session.scalar(READY))


def stuck_stocks(session: Statements, seconds: int, most: int) -> list[dict[str, Any]]:
    """Stocks whose oldest command has waited longer than `seconds`, at most `most` of them, the longest first.

    Each is {symbol, group, seconds}.
    """
    rows = session.execute(STUCK, {"seconds": seconds, "most": most})
    return [{"symbol": row.symbol, "group": row.group_name, "seconds": row.seconds} for row in rows]


def backlog_by_group(session: Statements, most: int) -> dict[str, int]:
    """The number of commands that wait in each group that has stocks; a group is counted to `most` and no further."""
    return {row.group_name: row.waiting for row in session.execute(BACKLOG, {"most": most})}
