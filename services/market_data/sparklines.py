"""The way that each stock's price has come, in a few numbers: all stocks in one answer."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.market_data.intervals import ZONES

CLOSES: Final = text(f"""
    WITH listed AS (
        SELECT s.id, s.symbol, s.last_price, coalesce(r.zone, z.zone, :main_zone) AS zone
        FROM stocks s LEFT JOIN reported_stocks r ON r.stock_id = s.id LEFT JOIN {ZONES} ON z.market = s.market
        WHERE s.state <> 'delisted'
    ), moments AS (
        SELECT n, now() - (:points - n) * least(:seconds, 86400) * interval '1 second' AS at
        FROM generate_series(1, :points) AS n
    )
    SELECT l.symbol, l.last_price, array_agg(c.close ORDER BY m.n) AS closes
    FROM listed l CROSS JOIN moments m
    LEFT JOIN LATERAL (
        SELECT c.close FROM candles c
        WHERE c.stock_id = l.id AND c.seconds = :seconds AND c.start <= candle_start(m.at, :seconds, l.zone)
        ORDER BY c.start DESC LIMIT 1
    ) c ON true
    GROUP BY l.symbol, l.last_price ORDER BY l.symbol
""")  # noqa: S608 - a constant of another file


def read_sparklines(session: Statements, seconds: int, points: int, zones: Mapping[str, Any]) -> list[dict[str, Any]]:
    """{symbol, closes} of all listed stocks: the price (cents) at the end of each of the last `points` candles.

    The last is the price now, and a price stays where nothing is traded. Before its first trade a stock has none, so
    that there may be fewer.
    """
    values = {"seconds": seconds, "points": points, **zones}
    found = []
    for row in session.execute(CLOSES, values):
        closes = [close for close in row.closes if close is not None]
        if row.last_price is not None:
            closes = [*closes[:-1], row.last_price]
        found.append({"symbol": row.symbol, "closes": closes})
    return found
