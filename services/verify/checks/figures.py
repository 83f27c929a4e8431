"""8. Candles and sessions are what the trades come to that stand, as far as the reporter has come.

Where a trade was busted behind its place, what it was in is about to be worked out again: such a stock is left out.
Candles of a second are kept for a while only.
"""

from services.market_data.candles.corrections import CORRECTIONS
from services.market_data.candles.intervals import LENGTHS
from services.prices import STANDING_PRICE
from services.verify.checks.rule import Rule

TABLES = ("candles", "reported_stocks")

REPORTED = f"""
    SELECT r.* FROM reported_stocks r
    WHERE NOT EXISTS (
        SELECT FROM events e WHERE e.stock_id = r.stock_id AND e.sequence > r.sequence AND e.kind IN {CORRECTIONS}
    )
"""  # noqa: S608 - a constant

SUMS = f"""
    max({STANDING_PRICE}) AS high, min({STANDING_PRICE}) AS low, sum(t.quantity) AS volume,
    sum(CAST({STANDING_PRICE} AS numeric) * t.quantity) AS turnover, count(*) AS trades,
    min(t.sequence) AS first_sequence, max(t.sequence) AS last_sequence
"""

NAMES = ("open", "high", "low", "close", "volume", "turnover", "trades")
FOUND, EXPECTED = (
    f"format('%s %s %s %s, %s shares for %s in %s trades', {', '.join(f'{row}.{name}' for name in NAMES)})"
    for row in ("c", "e")
)

ENDS = """
    JOIN trades a ON a.stock_id = f.stock_id AND a.sequence = f.first_sequence
    JOIN trades z ON z.stock_id = f.stock_id AND z.sequence = f.last_sequence
"""

RULES = (
    Rule(
        "candles",
        f"""
        WITH reported AS MATERIALIZED ({REPORTED}), folded AS MATERIALIZED (
            SELECT t.stock_id, i.seconds, candle_start(t.executed_at, i.seconds, r.zone) AS start, {SUMS}
            FROM trades t JOIN reported r ON r.stock_id = t.stock_id AND t.sequence <= r.sequence
            CROSS JOIN (VALUES {LENGTHS}) AS i (seconds)
            WHERE t.busted_at IS NULL
            GROUP BY 1, 2, 3
        ), kept AS (
            SELECT c.* FROM candles c JOIN reported r ON r.stock_id = c.stock_id
        ), oldest AS (
            SELECT stock_id, min(start) AS start FROM kept WHERE seconds = 1 GROUP BY stock_id
        ), expected AS (
            SELECT f.*, coalesce(a.adjusted_price, a.price) AS open, coalesce(z.adjusted_price, z.price) AS close
            FROM folded f {ENDS} LEFT JOIN oldest o ON o.stock_id = f.stock_id
            WHERE f.seconds > 1 OR f.start >= o.start
        )
        SELECT coalesce(c.stock_id, e.stock_id) AS stock_id, coalesce(c.seconds, e.seconds) AS seconds,
            coalesce(c.start, e.start) AS start, 'what it comes to' AS what,
            CASE WHEN c.stock_id IS NULL THEN 'no candle' ELSE {FOUND} END AS found,
            CASE WHEN e.stock_id IS NULL THEN 'no candle' ELSE {EXPECTED} END AS expected
        FROM kept c FULL JOIN expected e ON e.stock_id = c.stock_id AND e.seconds = c.seconds AND e.start = c.start
        WHERE (c.open, c.high, c.low, c.close, c.volume, c.turnover, c.trades)
            IS DISTINCT FROM (e.open, e.high, e.low, e.close, e.volume, e.turnover, e.trades)
        ORDER BY 1, 2, 3
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "reported_stocks",
        f"""
        WITH reported AS MATERIALIZED ({REPORTED}), folded AS (
            SELECT t.stock_id, {SUMS}
            FROM trades t JOIN reported r ON r.stock_id = t.stock_id AND t.sequence <= r.sequence
            WHERE t.sequence > r.session_sequence AND t.busted_at IS NULL
            GROUP BY t.stock_id
        ), expected AS (
            SELECT f.*, coalesce(a.adjusted_price, a.price) AS open, coalesce(z.adjusted_price, z.price) AS close
            FROM folded f {ENDS}
        )
        SELECT c.stock_id, 'what the session comes to' AS what,
            {FOUND} AS found, CASE WHEN e.trades IS NULL THEN 'nothing' ELSE {EXPECTED} END AS expected
        FROM reported c LEFT JOIN expected e ON e.stock_id = c.stock_id
        WHERE (c.open, c.high, c.low, c.close, c.volume, c.turnover, c.trades)
            IS DISTINCT FROM (e.open, e.high, e.low, e.close, coalesce(e.volume, 0), coalesce(e.turnover, 0),
                coalesce(e.trades, 0))
        ORDER BY c.stock_id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "reported_stocks",
        """
        SELECT r.stock_id, 'how far the reporter is' AS what, r.sequence AS found,
            'at most ' || coalesce(s.event_sequence, 0) AS expected
        FROM reported_stocks r LEFT JOIN stocks s ON s.id = r.stock_id
        WHERE s.id IS NULL OR r.sequence > s.event_sequence OR r.session_sequence > s.session_sequence
        ORDER BY r.stock_id
        """,
    ),
)
