"""What everybody asks first of a stock: prices, the best of its book, and what the day and the session came to.

One statement, and so one moment for all of a ticker. `day` is the last 24 hours to the microsecond: of whole hours and
minutes it takes the candles, of the rest the trades themselves.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.market_data.candles.corrections import CORRECTIONS
from services.market_data.candles.folded import FIGURES, OF_PARTS, OF_TRADES
from services.market_data.candles.read_candles import NeedsReport
from services.prices import STANDING_PRICE, average_price, whole_number
from services.timestamps import timestamp

CANDLE: Final = """
    c.open, c.high, c.low, c.close, c.volume, c.turnover, c.trades, c.first_sequence, c.last_sequence
    FROM candles c WHERE c.stock_id = w.id
"""

PARTS: Final = f"""
    SELECT {CANDLE} AND c.seconds = 3600 AND c.start >= w.hour
    UNION ALL SELECT {CANDLE} AND c.seconds = 60 AND c.start >= w.minute AND c.start < w.hour
    UNION ALL SELECT * FROM (
        SELECT {OF_TRADES}
        FROM candles c
        JOIN trades t ON t.stock_id = c.stock_id AND t.sequence BETWEEN c.first_sequence AND c.last_sequence
        WHERE c.stock_id = w.id AND c.seconds = 60 AND c.start = w.minute - interval '1 minute'
            AND t.executed_at >= w.since AND t.executed_at < w.minute AND t.busted_at IS NULL
        HAVING count(*) > 0
    ) first_minute
    UNION ALL SELECT * FROM (
        SELECT {OF_TRADES} FROM trades t
        WHERE t.stock_id = w.id AND t.sequence > w.after AND t.executed_at >= w.since AND t.busted_at IS NULL
        HAVING count(*) > 0
    ) behind
"""  # noqa: S608 - constants of this file
"""Of the last 24 hours: hours, minutes before the first of them, what is left of the first minute, and what the
reporter has not come to."""

SESSION_PARTS: Final = f"""
    SELECT w.session_open, w.session_high, w.session_low, w.session_close, w.session_volume, w.session_turnover,
        w.session_trades, 0, 0, w.session_is_auction
    WHERE w.session_trades > 0
    UNION ALL SELECT * FROM (
        SELECT {OF_TRADES}, (array_agg(t.is_auction ORDER BY t.sequence))[1] AS is_auction FROM trades t
        WHERE t.stock_id = w.id AND t.sequence > greatest(w.after, w.session_sequence) AND t.busted_at IS NULL
        HAVING count(*) > 0
    ) behind
"""  # noqa: S608 - constants of this file

NAMES: Final = ", ".join((*FIGURES, "first_sequence", "last_sequence"))

REPORTED: Final = ", ".join(
    f"CASE WHEN r.session_sequence = s.session_sequence THEN r.{name} END AS session_{name}"
    for name in (*FIGURES, "is_auction")
)

TICKERS: Final = f"""
    WITH wanted AS MATERIALIZED (
        SELECT s.id, s.symbol, s.state, s.last_price, s.best_bid, s.best_bid_quantity, s.best_ask, s.best_ask_quantity,
            s.event_sequence, coalesce(s.sequenced_at, s.listed_at) AS updated_at, s.session_sequence,
            s.session_reference, coalesce(r.sequence, 0) AS after, {REPORTED}, now() - interval '24 hours' AS since,
            date_bin('1 minute', now() - interval '24 hours 1 microsecond', 'epoch') + interval '1 minute' AS minute,
            date_bin('1 hour', now() - interval '24 hours 1 microsecond', 'epoch') + interval '1 hour' AS hour
        FROM stocks s LEFT JOIN reported_stocks r ON r.stock_id = s.id
        WHERE {{which}}
    )
    SELECT w.*, day.*, session.*, before.price AS price_before, EXISTS (
        SELECT FROM events e WHERE e.stock_id = w.id AND e.sequence > w.after AND e.kind IN {CORRECTIONS}
    ) AS is_corrected
    FROM wanted w
    CROSS JOIN LATERAL (
        SELECT {OF_PARTS} FROM ({PARTS}) p
    ) AS day (day_open, day_high, day_low, day_close, day_volume, day_turnover, day_trades, day_first, day_last)
    CROSS JOIN LATERAL (
        SELECT {OF_PARTS}, (array_agg(p.is_auction ORDER BY p.first_sequence))[1] AS is_auction
        FROM ({SESSION_PARTS}) AS p ({NAMES}, is_auction)
    ) AS session (now_open, now_high, now_low, now_close, now_volume, now_turnover, now_trades, now_first, now_last,
        now_is_auction)
    LEFT JOIN LATERAL (
        SELECT {STANDING_PRICE} AS price FROM trades t
        WHERE t.stock_id = w.id AND t.sequence < day.day_first AND t.busted_at IS NULL
        ORDER BY t.sequence DESC LIMIT 1
    ) before ON true
    ORDER BY w.symbol
"""  # noqa: S608 - constants of this file
LISTED: Final = text(TICKERS.format(which="s.state <> 'delisted'"))
NAMED: Final = text(TICKERS.format(which="s.symbol = ANY(:symbols)"))


def read_tickers(session: Statements, symbols: Collection[str] | None = None) -> list[dict[str, Any]]:
    """The tickers of these stocks, or of all that are listed, by symbol; unknown ones are left out.

    Raises NeedsReport.
    """
    statement, values = (LISTED, {}) if symbols is None else (NAMED, {"symbols": list(symbols)})
    rows = session.execute(statement, values).all()
    corrected = [row.symbol for row in rows if row.is_corrected]
    if corrected:
        raise NeedsReport(*corrected)
    return [_document(row) for row in rows]


def _document(row: Any) -> dict[str, Any]:
    """A ticker: prices in cents, quantities in shares, changes in cents and basis points."""
    last = row.last_price
    before = row.price_before if row.price_before is not None else row.day_open
    opened = row.now_open if row.now_is_auction or row.session_reference is None else row.session_reference
    return {
        "symbol": row.symbol,
        "state": row.state,
        "last_price": last,
        "bid": row.best_bid,
        "bid_quantity": row.best_bid_quantity,
        "ask": row.best_ask,
        "ask_quantity": row.best_ask_quantity,
        "day": _figures("day", row, last, last if before is None else before),
        "session": _figures("now", row, last, opened),
        "sequence": row.event_sequence,
        "updated_at": timestamp(row.updated_at),
    }


def _figures(span: str, row: Any, last: int | None, base: int | None) -> dict[str, Any]:
    """What was traded in a span, and what the last price is more than `base` (cents)."""
    figures: Mapping[str, Any] = {name: getattr(row, f"{span}_{name}") for name in FIGURES}
    volume, turnover = int(figures["volume"] or 0), int(figures["turnover"] or 0)
    return {
        **{name: figures[name] for name in ("open", "high", "low", "close")},
        "volume": whole_number(volume),
        "turnover": whole_number(turnover),
        "vwap": average_price(turnover, volume),
        "trade_count": figures["trades"] or 0,
        **change(last, base),
    }


def change(last: int | None, base: int | None) -> dict[str, int | None]:
    """By how many cents, and basis points (to the nearest), `last` is above `base`; null where either is missing."""
    if last is None or base is None:
        return {"change": None, "change_bps": None}
    difference = last - base
    bps = (abs(difference) * 20_000 + base) // (2 * base)
    return {"change": difference, "change_bps": bps if difference >= 0 else -bps}
