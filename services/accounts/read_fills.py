"""A broker's own fills: the newest first, or what came after a number that it knows."""

from typing import Any

from sqlalchemy import Row, text

from database.statements import Statements
from services.timestamps import timestamp

FILLS = """
    SELECT e.sequence, t.id, s.symbol, o.side, e.order_id, o.client_order_id, t.price, t.quantity, t.aggressor_side,
        t.executed_at, t.busted_at IS NOT NULL AS busted
    FROM account_events e JOIN trades t ON t.id = e.trade_id JOIN orders o ON o.id = e.order_id
    JOIN stocks s ON s.id = t.stock_id
    WHERE e.broker_id = :broker_id AND e.trade_id IS NOT NULL AND {}
    LIMIT :limit
"""
"""A broker can be on both sides of a trade: then it has two fills."""

BEFORE = text(FILLS.format("e.sequence < :before ORDER BY e.sequence DESC"))
AFTER = text(FILLS.format("e.sequence > :after ORDER BY e.sequence"))


def read_fills(session: Statements, broker_id: int, before: int, limit: int) -> list[dict[str, Any]]:
    """At most `limit` of the broker's fills with an account_sequence below `before`, newest first."""
    rows = session.execute(BEFORE, {"broker_id": broker_id, "before": before, "limit": limit})
    return [fill_document(row) for row in rows]


def read_fills_after(session: Statements, broker_id: int, after: int, limit: int) -> list[dict[str, Any]]:
    """At most `limit` of the broker's fills with an account_sequence above `after`, oldest first."""
    rows = session.execute(AFTER, {"broker_id": broker_id, "after": after, "limit": limit})
    return [fill_document(row) for row in rows]


def fill_document(row: Row[Any]) -> dict[str, Any]:
    """A fill as the API shows it: price in cents, quantity in shares."""
    return {
        "account_sequence": row.sequence,
        "trade_id": row.id,
        "order_id": row.order_id,
        "client_order_id": row.client_order_id,
        "symbol": row.symbol,
        "side": row.side,
        "price": row.price,
        "quantity": row.quantity,
        "liquidity": "taker" if row.side == row.aggressor_side else "maker",
        "executed_at": timestamp(row.executed_at),
        "busted": row.busted,
    }
