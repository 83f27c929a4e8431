"""Find inboxes that nobody looks at: a lost wake-up costs delay, never an order."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

FORGOTTEN = text("""
    SELECT DISTINCT s.symbol, s.group_name FROM commands c JOIN stocks s ON s.id = c.stock_id
    WHERE c.sequence IS NULL AND c.created_at < clock_timestamp() - :older_ms * interval '1 millisecond'
    ORDER BY s.symbol
""")

WAITING = text("""
    SELECT DISTINCT s.symbol FROM commands c JOIN stocks s ON s.id = c.stock_id
    WHERE c.sequence IS NULL AND s.group_name = :group ORDER BY s.symbol
""")

SYMBOLS = text("SELECT symbol FROM stocks WHERE group_name = :group ORDER BY id")


def forgotten_stocks(session: Session, older_ms: int) -> list[tuple[str, str]]:
    """Stocks with a command that has waited longer than `older_ms` milliseconds, as (symbol, group)."""
    return [(row.symbol, row.group_name) for row in session.execute(FORGOTTEN, {"older_ms": older_ms})]


def waiting_stocks(session: Session, group: str) -> Sequence[str]:
    """The symbols of a group whose inbox is not empty."""
    return session.scalars(WAITING, {"group": group}).all()


def symbols_of(session: Session, group: str) -> Sequence[str]:
    """All symbols of a group."""
    return session.scalars(SYMBOLS, {"group": group}).all()
