"""What busted and adjusted trades were in is worked out again, from the trades that stand."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.market_data.candles.folded import OF_TRADES
from services.market_data.candles.intervals import LENGTHS, CandleKey

CORRECTIONS: Final = "('TRADE_BUSTED', 'TRADE_ADJUSTED')"
"""The events of a tape that say of an earlier trade that it is another one now, or none."""

FIND: Final = text(f"""
    SELECT t.id, t.stock_id, t.sequence, t.executed_at
    FROM unnest(CAST(:id AS bigint[]), CAST(:after AS bigint[]), CAST(:until AS bigint[])) AS d (id, after, until)
    JOIN events e ON e.stock_id = d.id AND e.sequence > d.after AND e.sequence <= d.until AND e.kind IN {CORRECTIONS}
    JOIN trades t ON t.id = CAST(e.payload ->> 'trade_id' AS bigint)
""")  # noqa: S608 - constants of this file

TOUCHED: Final = f"""
    SELECT DISTINCT c.stock_id, c.seconds, c.start, c.first_sequence, c.last_sequence
    FROM trades t JOIN reported_stocks r ON r.stock_id = t.stock_id
    CROSS JOIN (VALUES {LENGTHS}) AS i (seconds)
    JOIN candles c ON c.stock_id = t.stock_id AND c.seconds = i.seconds
        AND c.start = candle_start(t.executed_at, i.seconds, r.zone)
    WHERE t.id = ANY(:trades)
"""  # noqa: S608 - constants of this file

AGAIN: Final = text(f"""
    WITH touched AS MATERIALIZED ({TOUCHED}), found AS MATERIALIZED (
        SELECT c.stock_id, c.seconds, c.start, f.*
        FROM touched c LEFT JOIN LATERAL (
            SELECT {OF_TRADES} FROM trades t
            WHERE t.stock_id = c.stock_id AND t.sequence BETWEEN c.first_sequence AND c.last_sequence
                AND t.busted_at IS NULL
            HAVING count(*) > 0
        ) f ON true
    ), gone AS (
        DELETE FROM candles c USING found f
        WHERE c.stock_id = f.stock_id AND c.seconds = f.seconds AND c.start = f.start AND f.trades IS NULL
    ), changed AS (
        UPDATE candles c SET open = f.open, high = f.high, low = f.low, close = f.close, volume = f.volume,
            turnover = f.turnover, trades = f.trades
        FROM found f WHERE c.stock_id = f.stock_id AND c.seconds = f.seconds AND c.start = f.start AND f.trades > 0
    )
    SELECT stock_id, seconds, start FROM found
""")  # noqa: S608 - constants of this file
"""A candle none of whose trades stands leaves."""

SESSIONS_AGAIN: Final = text(f"""
    UPDATE reported_stocks r SET open = f.open, high = f.high, low = f.low, close = f.close,
        volume = coalesce(f.volume, 0), turnover = coalesce(f.turnover, 0), trades = coalesce(f.trades, 0),
        is_auction = coalesce(f.is_auction, false)
    FROM reported_stocks same LEFT JOIN LATERAL (
        SELECT {OF_TRADES}, (array_agg(t.is_auction ORDER BY t.sequence))[1] AS is_auction FROM trades t
        WHERE t.stock_id = same.stock_id AND t.sequence > same.session_sequence AND t.sequence <= same.sequence
            AND t.busted_at IS NULL
        HAVING count(*) > 0
    ) f ON true
    WHERE r.stock_id = same.stock_id AND r.stock_id = ANY(:stocks)
""")  # noqa: S608 - constants of this file


def correct(session: Statements, taken: Mapping[str, Any]) -> set[CandleKey]:
    """Work out again what was corrected on these pieces of tapes; the candles that are others now, or gone."""
    pieces = {name: taken[name] for name in ("id", "after", "until")}
    corrected = session.execute(FIND, pieces).all()
    if not corrected:
        return set()
    found = {CandleKey(*row) for row in session.execute(AGAIN, {"trades": [trade.id for trade in corrected]})}
    session.execute(SESSIONS_AGAIN, {"stocks": [trade.stock_id for trade in corrected]})
    return found
