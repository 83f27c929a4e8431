"""The way that each stock's price has come, in a few numbers: all stocks in one answer."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.market_data.candles.intervals import ZONES

CLOSES: Final = text(f"""
    WITH listed AS (
        SELECT s.id, s.symbol, s.last_price, coalesce(r.zone, z.zone, :main_zone) AS zone
        FROM stocks s LEFT JOIN reported_stocks r ON r.stock_id = s.id LEFT JOIN {ZONES} ON z.market = s.market
        WHERE s.state <> 'delisted'
    ), spans AS (
        SELECT zone, array_agg(candle_start(at, :seconds, zone) ORDER BY at) AS starts
        FROM (SELECT DISTINCT zone FROM listed) zones CROSS JOIN (
            SELECT now() - n * least(:seconds, 86400) * interval '1 second' AS at
            FROM generate_series(0, :points - 1) AS n
        ) moments
        GROUP BY zone
    )
    SELECT l.symbol, l.last_price, before.close AS before, within.places, within.closes
    FROM listed l JOIN spans s ON s.zone = l.zone
    LEFT JOIN LATERAL (
        SELECT c.close FROM candles c WHERE c.stock_id = l.id AND c.seconds = :seconds AND c.start < s.starts[1]
        ORDER BY c.start DESC LIMIT 1
    ) before ON true
    CROSS JOIN LATERAL (
        SELECT array_agg(width_bucket(c.start, s.starts) - 1) AS places, array_agg(c.close) AS closes
        FROM candles c WHERE c.stock_id = l.id AND c.seconds = :seconds AND c.start >= s.starts[1]
    ) within
    ORDER BY l.symbol
""")  # noqa: S608 - a constant of another file
"""Of each stock what closed before, and at which of the points which candle closed."""


def read_sparklines(session: Statements, seconds: int, points: int, zones: Mapping[str, Any]) -> list[dict[str, Any]]:
    """{symbol, closes} of all listed stocks: the price (cents) at the end of each of the last `points` candles.

    The last is the price now, and a price stays where nothing is traded. Before its first trade a stock has none, so
    that there may be fewer.
    """
    values = {"seconds": seconds, "points": points, **zones}
    return [{"symbol": row.symbol, "closes": _closes(row, points)} for row in session.execute(CLOSES, values)]


def _closes(row: Any, points: int) -> list[int]:
    closed = dict(zip(row.places or (), row.closes or (), strict=True))
    if row.last_price is not None:
        closed[points - 1] = row.last_price
    closes: list[int] = []
    price = row.before
    for point in range(points):
        price = closed.get(point, price)
        if price is not None:
            closes.append(price)
    return closes
