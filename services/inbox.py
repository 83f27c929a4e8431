"""The worker's side of the inbox: lock the stocks, read what is not yet sequenced."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

LOCK = text("""
    SELECT s.id, s.symbol, s.tick_size, s.lot_size, s.band_bps, s.execution_price, s.self_trade_prevention,
        s.reference_price, s.last_price, s.book_version, s.command_sequence, s.event_sequence,
        greatest(s.sequenced_at, clock_timestamp()) AS now
    FROM stocks s WHERE s.symbol = ANY(:symbols) ORDER BY s.id FOR NO KEY UPDATE
""")
"""NO KEY: the foreign-key checks of incoming orders need not wait. The time is the database's, one for all workers,
and never goes backward within a stock."""

UNSEQUENCED = text("""
    SELECT c.id, c.stock_id, c.kind, c.order_id, c.broker_id, c.payload, c.reserved, c.reply_to, o.side
    FROM commands c LEFT JOIN orders o ON o.id = c.order_id
    WHERE c.stock_id = ANY(:stock_ids) AND c.sequence IS NULL AND c.id = coalesce(CAST(:only AS bigint), c.id)
    ORDER BY c.id LIMIT :limit
""")
"""By what is not sequenced, never by `id > cursor`: identity values commit out of order."""


def lock_stocks(session: Session, symbols: Sequence[str]) -> Sequence[Row[Any]]:
    """The rows of these stocks, locked to the commit, always in the order of their ids."""
    return session.execute(LOCK, {"symbols": list(symbols)}).all()


def read_inbox(session: Session, stock_ids: Sequence[int], limit: int, only: int | None = None) -> Sequence[Row[Any]]:
    """At most `limit` commands of these stocks that nobody has taken, oldest first; with `only`, just that one."""
    values = {"stock_ids": list(stock_ids), "limit": limit, "only": only}
    return session.execute(UNSEQUENCED, values).all()
