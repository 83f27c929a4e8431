"""Ask for the cancels of many orders at once: of one broker, all or some of them.

Each order gets a cancel of its own, as if it had been asked for alone; what fills before it comes stays filled.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from database.statements import Statements

CANCEL = text("""
    WITH standing AS MATERIALIZED (
        SELECT o.id, o.broker_id, s.id AS stock_id, s.symbol, s.group_name,
            row_number() OVER (PARTITION BY s.id ORDER BY o.id DESC) = 1 AS is_last
        FROM stocks s CROSS JOIN LATERAL (
            SELECT id, broker_id FROM orders
            WHERE stock_id = s.id AND broker_id = ANY(:brokers) AND closed_at IS NULL
                AND side = coalesce(:side, side)
        ) o
        WHERE s.symbol = coalesce(:symbol, s.symbol)
    ), numbered AS MATERIALIZED (
        SELECT *, nextval('commands_id_seq') AS command_id FROM (SELECT * FROM standing ORDER BY id) AS in_order
    ), inbox AS (
        INSERT INTO commands (id, stock_id, kind, order_id, broker_id, payload, reply_to)
        SELECT command_id, stock_id, 'cancel', id, broker_id, '{}', CASE WHEN is_last THEN :reply_to END
        FROM numbered ORDER BY command_id
    )
    SELECT symbol, group_name, array_agg(command_id) AS commands FROM numbered GROUP BY symbol, group_name
""")
"""The last cancel of each stock brings the answer to whoever waits."""

OUTCOME = text("""
    SELECT count(*) FILTER (WHERE sequence IS NULL) AS waiting,
        count(*) FILTER (WHERE sequence IS NOT NULL AND refused IS NULL) AS cancelled
    FROM commands WHERE id = ANY(:commands)
""")


@dataclass(frozen=True, slots=True)
class QueuedCancels:
    """The cancels that were put into the inbox: their stocks as (symbol, group), and their commands."""

    stocks: Sequence[tuple[str, str]]
    commands: Sequence[int]


def cancel_all(
    session: Statements,
    brokers: Collection[int],
    *,
    symbol: str | None = None,
    side: str | None = None,
    reply_to: str | None = None,
) -> QueuedCancels:
    """Put a cancel into the inbox for each open order of these brokers, of one stock or one side where that is said."""
    values = {"brokers": list(brokers), "symbol": symbol, "side": side, "reply_to": reply_to}
    rows = session.execute(CANCEL, values).all()
    return QueuedCancels(
        [(row.symbol, row.group_name) for row in rows], [command for row in rows for command in row.commands]
    )


def cancelled(session: Statements, commands: Sequence[int]) -> tuple[int, int]:
    """The number of these cancels that wait for the book, and the number of orders that the others have cancelled."""
    row = session.execute(OUTCOME, {"commands": list(commands)}).one()
    return row.waiting, row.cancelled
