"""Flat candles for the gaps between trades: where nothing was traded the price stayed what it was."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.market_data.candles.intervals import DAY
from services.market_data.candles.read_candles import HERE, Span, read_candles
from services.prices import STANDING_PRICE
from services.timestamps import timestamp

LONGEST_DAY: Final = 25 * 3_600

AROUND: Final = text(f"""
    SELECT here.zone, coalesce(
        (
            SELECT {STANDING_PRICE} AS price FROM trades t
            WHERE t.stock_id = here.id AND t.sequence > here.after AND t.busted_at IS NULL
                AND candle_start(t.executed_at, :seconds, here.zone) < :since
            ORDER BY t.sequence DESC LIMIT 1
        ),
        (
            SELECT c.close FROM candles c WHERE c.stock_id = here.id AND c.seconds = :seconds AND c.start < :since
            ORDER BY c.start DESC LIMIT 1
        )
    ) AS close, EXISTS (
        SELECT FROM trades t WHERE t.stock_id = here.id AND t.sequence > here.after AND t.busted_at IS NULL
            AND candle_start(t.executed_at, :seconds, here.zone) >= :until
    ) OR EXISTS (
        SELECT FROM candles c WHERE c.stock_id = here.id AND c.seconds = :seconds AND c.start >= :until
    ) AS goes_on
    FROM ({HERE}) here
""")  # noqa: S608 - constants of another file
"""The last price before a span, and whether anything was traded behind it."""

STARTS: Final = text("""
    SELECT start, candle_end(start, :seconds, :zone) <= now() AS closed
    FROM (
        SELECT candle_start(moment, :seconds, :zone) AS start
        FROM generate_series(
            CAST(:since AS timestamptz), CAST(:until AS timestamptz), least(:seconds, 43200) * interval '1 second'
        ) AS moment
        UNION SELECT candle_start(CAST(:until AS timestamptz) - interval '1 microsecond', :seconds, :zone)
    ) each
    WHERE start >= :since AND start < :until ORDER BY start LIMIT :limit
""")
"""Of all candles that a span has room for."""


def read_filled_candles(session: Statements, symbol: str, span: Span, limit: int) -> list[dict[str, Any]]:
    """As `read_candles`, each with `filled`: in gaps between two trades there are flat ones.

    They have the close before them as their prices, no volume and no `vwap`. None comes before the first trade, and
    none behind the last one.
    """
    candles = {candle["start"]: {**candle, "filled": False} for candle in read_candles(session, symbol, span, limit)}
    around = session.execute(AROUND, {"symbol": symbol, **span.values()}).one()
    began_before = span.since is not None and around.close is not None
    if not candles and not (began_before and around.goes_on):
        return []
    first = span.since if began_before else datetime.fromisoformat(next(iter(candles)))
    assert first is not None  # noqa: S101 - so mypy knows
    goes_on = span.until is not None and around.goes_on and len(candles) < limit
    last = span.until if goes_on else datetime.fromisoformat(list(candles)[-1]) + timedelta(microseconds=1)
    assert last is not None  # noqa: S101
    room = timedelta(seconds=(limit + 2) * (LONGEST_DAY if span.seconds == DAY else span.seconds))
    stretch = dataclasses.replace(span, since=first, until=min(last, first + room))
    close = around.close
    filled = []
    for row in session.execute(STARTS, {**stretch.values(), "zone": around.zone, "limit": limit}):
        candle = candles.get(timestamp(row.start)) or flat_candle(row.start, close, closed=row.closed)
        close = candle["close"]
        filled.append(candle)
    return filled


def flat_candle(start: datetime, close: int, *, closed: bool) -> dict[str, Any]:
    """One in which nothing was traded; `close` (cents) is that of the one before."""
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    traded = {"volume": 0, "vwap": None, "trade_count": 0}
    return {"start": timestamp(start), **prices, **traded, "closed": closed, "filled": True}
