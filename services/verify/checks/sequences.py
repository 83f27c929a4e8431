"""6. The sequences of commands and events have no gaps or repeats, time never goes backward, and trades are events."""

from services.verify.checks.rule import Rule

TABLES = ("commands WHERE sequence IS NOT NULL", "events", "trades")

COMMANDS = (
    Rule(
        "commands",
        """
        WITH journal AS (
            SELECT id, stock_id, sequence, sequenced_at, coalesce(lag(sequence) OVER steps, 0) AS before,
                lag(sequenced_at) OVER steps AS time_before
            FROM commands WHERE sequence IS NOT NULL WINDOW steps AS (PARTITION BY stock_id ORDER BY sequence, id)
        )
        SELECT id, stock_id, steps.what, steps.found, steps.expected
        FROM journal CROSS JOIN LATERAL (VALUES
            ('sequence', sequence = before + 1, CAST(sequence AS text), CAST(before + 1 AS text)),
            ('sequenced_at', coalesce(sequenced_at >= time_before, sequenced_at IS NOT NULL),
                CAST(sequenced_at AS text), format('not before %s, when the one before it came', time_before))
        ) AS steps (what, holds, found, expected)
        WHERE (sequence <> before + 1 OR sequenced_at < time_before OR sequenced_at IS NULL) AND NOT steps.holds
        ORDER BY stock_id, sequence
        """,
    ),
    Rule(
        "commands",
        """
        SELECT c.id, 'order' AS what, c.order_id AS found,
            format('one of stock %s and broker %s', c.stock_id, c.broker_id) AS expected
        FROM commands c LEFT JOIN orders o ON o.id = c.order_id
        WHERE c.order_id IS NOT NULL AND (o.stock_id = c.stock_id AND o.broker_id = c.broker_id) IS NOT TRUE
        ORDER BY c.id
        """,
    ),
    Rule(
        "commands",
        """
        SELECT c.id, 'stock' AS what, c.stock_id AS found, 'one that is listed' AS expected
        FROM commands c LEFT JOIN stocks s ON s.id = c.stock_id WHERE s.id IS NULL
        ORDER BY c.id
        """,
    ),
    Rule(
        "orders",
        """
        WITH brought AS (
            SELECT order_id, min(sequence) AS sequence, min(stock_id) AS stock_id, min(broker_id) AS broker_id,
                min(refused) AS refused, count(*) AS commands
            FROM commands WHERE kind IN ('new', 'close') GROUP BY order_id
        )
        SELECT o.id, sources.what, sources.found, sources.expected
        FROM orders o LEFT JOIN brought b ON b.order_id = o.id
        CROSS JOIN LATERAL (VALUES
            ('sequence', CAST(o.sequence AS text), CAST(b.sequence AS text)),
            ('stock', CAST(o.stock_id AS text), CAST(b.stock_id AS text)),
            ('broker', CAST(o.broker_id AS text), CAST(b.broker_id AS text)),
            ('close_reason', CASE WHEN o.status = 'rejected' THEN o.close_reason END, b.refused),
            ('commands that brought it', '1', CAST(coalesce(b.commands, 0) AS text))
        ) AS sources (what, found, expected)
        WHERE (o.stock_id = b.stock_id AND o.broker_id = b.broker_id AND b.commands = 1) IS NOT TRUE
            OR o.sequence IS DISTINCT FROM b.sequence
            OR CASE WHEN o.status = 'rejected' THEN o.close_reason END IS DISTINCT FROM b.refused
        GROUP BY o.id, sources.what, sources.found, sources.expected
        HAVING sources.found IS DISTINCT FROM sources.expected
        ORDER BY o.id
        """,
    ),
)

EVENTS = (
    Rule(
        "events",
        """
        SELECT e.stock_id, e.sequence, 'stock' AS what, e.stock_id AS found, 'one that is listed' AS expected
        FROM events e LEFT JOIN stocks s ON s.id = e.stock_id WHERE s.id IS NULL
        ORDER BY e.stock_id, e.sequence
        """,
    ),
    Rule(
        "events",
        """
        WITH tape AS (
            SELECT stock_id, sequence, coalesce(lag(sequence) OVER steps, 0) AS before
            FROM events WINDOW steps AS (PARTITION BY stock_id ORDER BY sequence)
        )
        SELECT stock_id, sequence, 'sequence' AS what, sequence AS found, before + 1 AS expected
        FROM tape WHERE sequence <> before + 1
        ORDER BY stock_id, sequence
        """,
    ),
    Rule(
        "trades",
        """
        WITH tape AS (
            SELECT id, stock_id, sequence, command_sequence, coalesce(lag(sequence) OVER steps, 0) AS before,
                coalesce(lag(command_sequence) OVER steps, 0) AS command_before
            FROM trades WINDOW steps AS (PARTITION BY stock_id ORDER BY sequence, id)
        )
        SELECT id, stock_id, steps.what, steps.found, steps.expected
        FROM tape CROSS JOIN LATERAL (VALUES
            ('sequence', sequence > before, sequence, 'more than ' || before),
            ('command_sequence', command_sequence >= command_before, command_sequence, 'at least ' || command_before)
        ) AS steps (what, holds, found, expected)
        WHERE (sequence <= before OR command_sequence < command_before) AND NOT steps.holds
        ORDER BY stock_id, sequence
        """,
    ),
    Rule(
        "trades",
        """
        SELECT t.id, t.stock_id, 'event ' || t.sequence AS what, coalesce(e.payload ->> 'trade_id', e.kind) AS found,
            t.id AS expected
        FROM trades t LEFT JOIN events e ON e.stock_id = t.stock_id AND e.sequence = t.sequence
        WHERE (
            e.kind = 'TRADE_EXECUTED' AND CAST(e.payload ->> 'trade_id' AS bigint) = t.id
        ) IS NOT TRUE
        ORDER BY t.id
        """,
    ),
    Rule(
        "events",
        """
        SELECT e.stock_id, e.sequence, told.what, told.found, told.expected
        FROM events e JOIN stocks s ON s.id = e.stock_id
        LEFT JOIN trades t ON t.stock_id = e.stock_id AND t.sequence = e.sequence
        CROSS JOIN LATERAL (VALUES
            ('trade_id', e.payload ->> 'trade_id', CAST(t.id AS text)),
            ('price', e.payload ->> 'price', CAST(t.price AS text)),
            ('quantity', e.payload ->> 'quantity', CAST(t.quantity AS text)),
            ('sequence', e.payload ->> 'sequence', CAST(e.sequence AS text)),
            ('symbol', e.payload ->> 'symbol', s.symbol),
            ('aggressor_side', e.payload ->> 'aggressor_side', t.aggressor_side),
            ('executed_at', e.payload ->> 'executed_at',
                to_char(t.executed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.US"Z"'))
        ) AS told (what, found, expected)
        WHERE e.kind = 'TRADE_EXECUTED' AND told.found IS DISTINCT FROM told.expected
            AND (t.id IS NOT NULL OR told.what = 'trade_id')
        ORDER BY e.stock_id, e.sequence
        """,
    ),
)

STOCKS = (
    Rule(
        "stocks",
        """
        SELECT s.id, s.symbol, counters.what, counters.found, counters.expected
        FROM stocks s
        LEFT JOIN LATERAL (
            SELECT sequence, sequenced_at FROM commands WHERE stock_id = s.id AND sequence IS NOT NULL
            ORDER BY sequence DESC LIMIT 1
        ) c ON true
        LEFT JOIN LATERAL (
            SELECT sequence FROM events WHERE stock_id = s.id ORDER BY sequence DESC LIMIT 1
        ) e ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(adjusted_price, price) AS price FROM trades
            WHERE stock_id = s.id AND busted_at IS NULL ORDER BY sequence DESC LIMIT 1
        ) latest ON true
        CROSS JOIN LATERAL (VALUES
            ('command_sequence', CAST(s.command_sequence AS text), CAST(coalesce(c.sequence, 0) AS text)),
            ('event_sequence', CAST(s.event_sequence AS text), CAST(coalesce(e.sequence, 0) AS text)),
            ('sequenced_at', CAST(s.sequenced_at AS text), CAST(c.sequenced_at AS text)),
            ('last_price', CAST(s.last_price AS text), CAST(latest.price AS text))
        ) AS counters (what, found, expected)
        WHERE counters.found IS DISTINCT FROM counters.expected
        ORDER BY s.id
        """,
    ),
)

RULES = COMMANDS + EVENTS + STOCKS
