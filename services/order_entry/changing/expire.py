"""Let orders run out: the clock only asks, the book decides, so an expiry and a fill cannot both happen."""

from sqlalchemy import text

from database.statements import Statements

ENQUEUE = text("""
    WITH late AS MATERIALIZED (
        SELECT o.stock_id FROM orders o WHERE o.closed_at IS NULL AND o.valid_until <= (SELECT clock_timestamp())
        ORDER BY o.valid_until
    ), due AS (
        SELECT DISTINCT late.stock_id FROM late
        WHERE NOT EXISTS (
            SELECT FROM commands c WHERE c.stock_id = late.stock_id AND c.sequence IS NULL AND c.kind = 'expire'
        )
    ), asked AS (
        INSERT INTO commands (stock_id, kind, payload) SELECT stock_id, 'expire', '{}' FROM due RETURNING stock_id
    )
    SELECT s.symbol, s.group_name FROM asked JOIN stocks s ON s.id = asked.stock_id ORDER BY s.symbol
""")
"""The time is asked for once: compared with what changes from row to row no index is used, and every open order was
read four times a second."""


def expire_due_orders(session: Statements) -> list[tuple[str, str]]:
    """Put one expire command into the inbox of each stock with orders past their `valid_until`.

    The stocks to wake, as (symbol, group).
    """
    return [(row.symbol, row.group_name) for row in session.execute(ENQUEUE)]
