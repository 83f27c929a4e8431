"""What the rooms `candles:` hear: a candle as it is now, once more when its time is over, and when it is corrected."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.market_data.candles.corrections import CORRECTIONS
from services.market_data.candles.intervals import NAMES, CandleKey
from services.market_data.candles.read_candles import candle_document
from services.timestamps import timestamp

COLUMNS: Final = """
    c.stock_id, c.seconds, c.start, c.open, c.high, c.low, c.close, c.volume, c.turnover, c.trades,
    candle_end(c.start, c.seconds, r.zone) AS ends_at, r.sequence AS reported
"""

READ: Final = text(f"""
    SELECT {COLUMNS}
    FROM unnest(CAST(:ids AS bigint[]), CAST(:seconds AS bigint[]), CAST(:starts AS timestamptz[]))
        AS k (id, seconds, start)
    JOIN candles c ON c.stock_id = k.id AND c.seconds = k.seconds AND c.start = k.start
    JOIN reported_stocks r ON r.stock_id = c.stock_id
    ORDER BY c.start
""")  # noqa: S608 - a constant of this file

LATEST: Final = text(f"""
    SELECT {COLUMNS}
    FROM reported_stocks r CROSS JOIN unnest(CAST(:intervals AS bigint[])) AS i (seconds)
    CROSS JOIN LATERAL (
        SELECT * FROM candles c WHERE c.stock_id = r.stock_id AND c.seconds = i.seconds ORDER BY c.start DESC LIMIT 1
    ) c
    WHERE c.start > now() - interval '2 days'
""")  # noqa: S608 - a constant of this file


LAST: Final = text(f"""
    SELECT w.symbol, w.seconds AS asked, coalesce(r.sequence, 0) AS sequence, c.*
    FROM unnest(CAST(:symbols AS text[]), CAST(:intervals AS bigint[])) AS w (symbol, seconds)
    JOIN stocks s ON s.symbol = w.symbol LEFT JOIN reported_stocks r ON r.stock_id = s.id
    LEFT JOIN LATERAL (
        SELECT {COLUMNS} FROM candles c WHERE c.stock_id = s.id AND c.seconds = w.seconds ORDER BY c.start DESC LIMIT 1
    ) c ON true
""")  # noqa: S608 - a constant of this file


def last_candles(
    session: Statements, wanted: Collection[tuple[str, int]], now: datetime
) -> dict[tuple[str, int], tuple[int, dict[str, Any] | None]]:
    """Of each of these (symbol, seconds) that is listed: how far its tape is in its candles, and the last of them.

    The candle is a payload of CANDLE, None where there is none.
    """
    values = {"symbols": [symbol for symbol, _ in wanted], "intervals": [seconds for _, seconds in wanted]}
    found: dict[tuple[str, int], tuple[int, dict[str, Any] | None]] = {}
    for row in session.execute(LAST, values):
        last = None if row.start is None else candle_payload(row, row.symbol, closed=row.ends_at <= now)
        found[row.symbol, row.asked] = row.sequence, last
    return found


SINCE: Final = text(f"""
    WITH here AS MATERIALIZED (
        SELECT s.id, r.zone, r.sequence
        FROM stocks s JOIN reported_stocks r ON r.stock_id = s.id WHERE s.symbol = :symbol
    ), corrected AS (
        SELECT candle_start(t.executed_at, :seconds, here.zone) AS start FROM here
        JOIN events e ON e.stock_id = here.id AND e.sequence > :number AND e.kind IN {CORRECTIONS}
        JOIN trades t ON t.id = CAST(e.payload ->> 'trade_id' AS bigint)
    )
    SELECT here.id AS stock_id, coalesce(c.seconds, :seconds) AS seconds, coalesce(c.start, x.start) AS start, c.open,
        c.high, c.low, c.close, c.volume, c.turnover, coalesce(c.trades, 0) AS trades,
        candle_end(coalesce(c.start, x.start), :seconds, here.zone) AS ends_at, here.sequence AS reported
    FROM here CROSS JOIN (
        SELECT start FROM corrected
        UNION SELECT c.start FROM here JOIN candles c ON c.stock_id = here.id AND c.seconds = :seconds AND c.start >= (
            SELECT candle_start(t.executed_at, :seconds, here.zone) FROM trades t
            WHERE t.stock_id = here.id AND t.sequence > :number ORDER BY t.sequence LIMIT 1
        )
    ) x
    LEFT JOIN candles c ON c.stock_id = here.id AND c.seconds = :seconds AND c.start = x.start
    ORDER BY 3
""")  # noqa: S608 - constants of another file


def candles_since(session: Statements, symbol: str, seconds: int, number: int, now: datetime) -> list[dict[str, Any]]:
    """The payloads of CANDLE of a stock that are others since its tape stood at `number`, oldest first."""
    found = []
    for row in session.execute(SINCE, {"symbol": symbol, "seconds": seconds, "number": number}):
        key = CandleKey(row.stock_id, row.seconds, row.start)
        gone = removed_payload(key, symbol, row.reported)
        found.append(candle_payload(row, symbol, closed=row.ends_at <= now) if row.trades else gone)
    return found


def read_by_keys(session: Statements, keys: Collection[CandleKey]) -> Sequence[Any]:
    """These candles as they are now, with `ends_at`; those that are gone are left out."""
    values = {
        "ids": [key.stock_id for key in keys],
        "seconds": [key.seconds for key in keys],
        "starts": [key.start for key in keys],
    }
    found: Sequence[Any] = session.execute(READ, values).all()
    return found


def latest_candles(session: Statements) -> Sequence[Any]:
    """The last candle of each interval of each stock, of the last two days."""
    found: Sequence[Any] = session.execute(LATEST, {"intervals": list(NAMES)}).all()
    return found


def candle_payload(row: Any, symbol: str, *, closed: bool) -> dict[str, Any]:
    """The payload of CANDLE; `sequence` is how far the stock's tape is in it."""
    named = {"symbol": symbol, "interval": NAMES[row.seconds], "sequence": row.reported}
    return {**named, **candle_document(row, closed=closed)}


def removed_payload(key: CandleKey, symbol: str, sequence: int) -> dict[str, Any]:
    """The payload of CANDLE for one that is gone: all its trades were busted. `sequence`: how far the tape is in it."""
    named = {"symbol": symbol, "interval": NAMES[key.seconds], "sequence": sequence}
    return {**named, "start": timestamp(key.start), "trade_count": 0, "removed": True}
