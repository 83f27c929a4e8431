"""Find inboxes that nobody looks at: a lost wake-up costs delay, never an order."""

from collections.abc import Sequence

from sqlalchemy import text

from database.statements import Statements
from services.operations.health import OLDEST

FORGOTTEN = text(f"""
    {OLDEST} SELECT s.symbol, s.group_name FROM oldest JOIN stocks s ON s.id = stock_id
    WHERE created_at < clock_timestamp() - :older_ms * interval '1 millisecond' ORDER BY s.symbol
""")  # noqa: S608 - a constant of this file

WAITING = text(f"""
    {OLDEST} SELECT s.symbol FROM oldest JOIN stocks s ON s.id = stock_id
    WHERE s.group_name = :group ORDER BY s.symbol
""")  # noqa: S608 - a constant of this file

SYMBOLS = text("SELECT symbol FROM stocks WHERE group_name = :group ORDER BY id")


def forgotten_stocks(session: Statements, older_ms: int) -> list[tuple[str, str]]:
    """Stocks with a command that has waited longer than `older_ms` milliseconds, as (symbol, group)."""
    return [(row.symbol, row.group_name) for row in session.execute(FORGOTTEN, {"older_ms": older_ms})]


def waiting_stocks(session: Statements, group: str) -> Sequence[str]:
    """The symbols of a group whose inbox is not empty."""
    return list(session.scalars(WAITING, {"group": group}))


def symbols_of(session: Statements, group: str) -> Sequence[str]:
    """All symbols of a group."""
    return list(session.scalars(SYMBOLS, {"group": group}))
