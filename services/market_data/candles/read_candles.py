"""A stock's candles: those that the reporter has written, and what its tape has behind them.

One statement, and so one moment: a list never misses a trade that was settled before it, whether the reporter runs or
not. Only what was busted behind the reporter's place is still in them; the reporter's step (`report`) takes that out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.market_data.candles.corrections import CORRECTIONS
from services.market_data.candles.folded import OF_PARTS, OF_TRADES
from services.market_data.candles.intervals import ZONES
from services.prices import average_price, whole_number
from services.stocks.listing import unknown_stock
from services.timestamps import timestamp


@dataclass(frozen=True, slots=True)
class Span:
    """Which candles: of so many `seconds`, from `since` on (included) until `until` (not)."""

    seconds: int
    since: datetime | None
    until: datetime | None
    zones: Mapping[str, Any]
    """As `intervals.zones_of` tells them."""

    def values(self) -> dict[str, Any]:
        """For the statements of this file."""
        bounds = {"since": self.since or FIRST, "until": self.until or LAST}
        return {"seconds": self.seconds, **bounds, **self.zones}


FIRST, LAST = "-infinity", "infinity"

HERE: Final = f"""
    SELECT s.id, coalesce(r.zone, z.zone, :main_zone) AS zone, coalesce(r.sequence, 0) AS after
    FROM stocks s LEFT JOIN reported_stocks r ON r.stock_id = s.id LEFT JOIN {ZONES} ON z.market = s.market
    WHERE s.symbol = :symbol
"""  # noqa: S608 - constants of another file

CANDLES: Final = text(f"""
    WITH here AS MATERIALIZED ({HERE}), parts AS (
        SELECT * FROM (
            SELECT c.start, c.open, c.high, c.low, c.close, c.volume, c.turnover, c.trades, c.first_sequence,
                c.last_sequence
            FROM here JOIN candles c ON c.stock_id = here.id
            WHERE c.seconds = :seconds AND c.start >= :since AND c.start < :until
            ORDER BY c.start LIMIT :limit
        ) kept
        UNION ALL
        SELECT candle_start(t.executed_at, :seconds, t.zone) AS start, {OF_TRADES}
        FROM (
            SELECT here.zone, t.* FROM here JOIN trades t ON t.stock_id = here.id AND t.sequence > here.after
            WHERE t.busted_at IS NULL
        ) t
        GROUP BY 1
    ), candle AS (
        SELECT p.start, {OF_PARTS} FROM parts p WHERE p.start >= :since AND p.start < :until
        GROUP BY p.start ORDER BY p.start LIMIT :limit
    )
    SELECT candle.*, candle_end(start, :seconds, zone) <= now() AS closed, EXISTS (
        SELECT FROM events e WHERE e.stock_id = here.id AND e.sequence > here.after AND e.kind IN {CORRECTIONS}
    ) AS is_corrected
    FROM here LEFT JOIN candle ON true ORDER BY start
""")  # noqa: S608 - constants of this file


class NeedsReport(Exception):
    """A trade was busted behind the reporter's place: what it was in has to be worked out again first."""


def read_candles(session: Statements, symbol: str, span: Span, limit: int) -> list[dict[str, Any]]:
    """At most `limit` candles of a stock, oldest first. Raises UnknownStock and NeedsReport."""
    rows = session.execute(CANDLES, {"symbol": symbol, "limit": limit, **span.values()}).all()
    if not rows:
        raise unknown_stock(symbol)
    if rows[0].is_corrected:
        raise NeedsReport(symbol)
    return [candle_document(row, closed=row.closed) for row in rows if row.start is not None]


def candle_document(row: Any, *, closed: bool) -> dict[str, Any]:
    """A candle as it is shown: prices in cents, `vwap` with at most four decimals, `volume` in shares."""
    return {
        "start": timestamp(row.start),
        "open": row.open,
        "high": row.high,
        "low": row.low,
        "close": row.close,
        "volume": whole_number(row.volume),
        "vwap": average_price(int(row.turnover), int(row.volume)),
        "trade_count": row.trades,
        "closed": closed,
    }
