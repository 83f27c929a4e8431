"""Where the tapes and books of stocks stand, and what is behind a number: for those who follow them."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.operations.epoch import read_epoch

POSITIONS: Final = text("SELECT symbol, event_sequence, book_sequence FROM stocks WHERE symbol = ANY(:symbols)")

BEHIND: Final = text("""
    SELECT s.symbol, e.sequence, e.kind, e.payload
    FROM unnest(CAST(:symbols AS text[]), CAST(:after AS bigint[])) AS w (symbol, after)
    JOIN stocks s ON s.symbol = w.symbol
    CROSS JOIN LATERAL (
        SELECT sequence, kind, payload FROM events
        WHERE stock_id = s.id AND sequence > w.after ORDER BY sequence LIMIT :limit
    ) e
    ORDER BY s.symbol, e.sequence
""")


def read_positions(session: Statements, symbols: Collection[str]) -> tuple[str, dict[str, tuple[int, int]]]:
    """The epoch, and the last numbers of the tape and of the book of each of these stocks that is listed."""
    rows = session.execute(POSITIONS, {"symbols": list(symbols)}) if symbols else ()
    return read_epoch(session), {row.symbol: (row.event_sequence, row.book_sequence) for row in rows}


def read_behind(session: Statements, after: Mapping[str, int], limit: int) -> dict[str, list[Any]]:
    """The events of each of these tapes behind a number, oldest first, at most `limit` of each.

    An event is {sequence, kind, payload}.
    """
    found: dict[str, list[Any]] = {symbol: [] for symbol in after}
    values = {"symbols": list(after), "after": list(after.values()), "limit": limit}
    for row in session.execute(BEHIND, values):
        found[row.symbol].append(row)
    return found
