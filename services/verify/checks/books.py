"""5. No book is crossed outside an auction, nothing expired rests, and each level stands in time priority.

Open orders must stand in the order of the commands that put them there: the one that brought the order, or the last
amendment that lost its place (another price or stop price, or more shares). Icebergs join the back with each new part,
and stops when they are elected: their places, and that nobody traded past an order with better priority, are history,
which the open orders cannot tell; the replay of the journal proves it.
"""

from services.verify.checks.rule import Rule

TABLES = ("stocks", "orders WHERE closed_at IS NULL")

RESTING = "o.closed_at IS NULL AND o.status <> 'pending'"
QUOTED = f"{RESTING} AND o.status <> 'untriggered' AND o.price IS NOT NULL"
"""What stands in the book at a price: no stops that wait, no market orders that wait for an auction."""
SHOWN = "coalesce(o.shown_quantity, o.remaining_quantity)"
HISTORY = "o.display_quantity IS NOT NULL OR o.triggered_at IS NOT NULL"
"""Orders whose places follow from what has traded."""

RULES = (
    Rule(
        "stocks",
        f"""
        WITH best AS (
            SELECT o.stock_id, max(o.price) FILTER (WHERE o.side = 'bid') AS bid,
                min(o.price) FILTER (WHERE o.side = 'ask') AS ask
            FROM orders o WHERE {QUOTED} GROUP BY o.stock_id
        ), shown AS (
            SELECT s.id, sum({SHOWN}) FILTER (WHERE o.side = 'bid') AS bid,
                sum({SHOWN}) FILTER (WHERE o.side = 'ask') AS ask
            FROM stocks s JOIN orders o ON o.stock_id = s.id
            WHERE {QUOTED} AND o.price = CASE o.side WHEN 'bid' THEN s.best_bid ELSE s.best_ask END
            GROUP BY s.id
        )
        SELECT s.id, s.symbol, prices.what, prices.found, prices.expected
        FROM stocks s LEFT JOIN best b ON b.stock_id = s.id LEFT JOIN shown ON shown.id = s.id
        CROSS JOIN LATERAL (VALUES
            ('best bid', coalesce(CAST(b.bid AS text), 'nothing'),
                CASE WHEN s.state <> 'open' OR b.ask IS NULL OR b.bid IS NULL OR b.bid < b.ask
                    THEN coalesce(CAST(b.bid AS text), 'nothing') ELSE 'below the best ask of ' || b.ask END),
            ('best_bid', coalesce(CAST(s.best_bid AS text), 'nothing'), coalesce(CAST(b.bid AS text), 'nothing')),
            ('best_ask', coalesce(CAST(s.best_ask AS text), 'nothing'), coalesce(CAST(b.ask AS text), 'nothing')),
            ('best_bid_quantity', coalesce(CAST(s.best_bid_quantity AS text), 'nothing'),
                coalesce(CAST(shown.bid AS text), 'nothing')),
            ('best_ask_quantity', coalesce(CAST(s.best_ask_quantity AS text), 'nothing'),
                coalesce(CAST(shown.ask AS text), 'nothing'))
        ) AS prices (what, found, expected)
        WHERE prices.found <> prices.expected
        ORDER BY s.id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "orders",
        f"""
        SELECT o.id, rests.what, rests.found, rests.expected
        FROM orders o JOIN stocks s ON s.id = o.stock_id
        CROSS JOIN LATERAL (VALUES
            ('valid_until', coalesce(o.valid_until > s.sequenced_at, true), CAST(o.valid_until AS text),
                format('after %s, the time of its stock', s.sequenced_at)),
            ('kind of order that rests', CASE
                    WHEN o.status = 'untriggered' THEN o.order_type IN ('stop', 'stop_limit')
                    WHEN o.order_type = 'market' THEN s.state <> 'open' AND o.time_in_force = 'ioc'
                    ELSE o.time_in_force IN ('gtc', 'gtd', 'day')
                        AND (o.order_type = 'limit' OR o.order_type = 'stop_limit' AND o.triggered_at IS NOT NULL) END,
                format('%s %s, %s', o.order_type, o.time_in_force, o.status),
                'a limit order, a stop that waits, or a market order before an auction'),
            ('triggered_at', o.status <> 'untriggered' OR o.triggered_at IS NULL, CAST(o.triggered_at AS text),
                'nothing while the stop waits'),
            ('shown_quantity', CASE WHEN o.display_quantity IS NULL THEN o.shown_quantity IS NULL
                    WHEN o.status = 'untriggered' THEN o.shown_quantity = 0
                    ELSE o.shown_quantity BETWEEN 1 AND least(o.display_quantity, o.remaining_quantity) END,
                coalesce(CAST(o.shown_quantity AS text), 'nothing'),
                format('some of what remains, at most %s', coalesce(CAST(o.display_quantity AS text), 'nothing'))),
            ('time in force', (o.valid_until IS NOT NULL) = (o.time_in_force = 'gtd'), o.time_in_force,
                'gtd with valid_until, and no other'),
            ('priority', o.priority IS NOT NULL, CAST(o.priority AS text), 'its place in time')
        ) AS rests (what, holds, found, expected)
        WHERE {RESTING} AND NOT rests.holds
        ORDER BY o.id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "orders",
        f"""
        WITH terms AS (
            SELECT c.order_id, o.stock_id, c.sequence, CAST(c.payload ->> 'price' AS bigint) AS price,
                CASE c.kind WHEN 'close' THEN o.quantity ELSE CAST(c.payload ->> 'quantity' AS bigint) END AS quantity,
                c.kind = 'amend' AND c.payload ->> 'stop_price' IS NOT NULL AS moves_stop
            FROM commands c JOIN orders o ON o.id = c.order_id
            WHERE {RESTING} AND c.kind IN ('new', 'amend', 'close') AND c.sequence IS NOT NULL AND c.refused IS NULL
        ), priced AS (
            SELECT order_id, sequence, quantity, moves_stop,
                coalesce(price, first_value(price) OVER (PARTITION BY order_id ORDER BY sequence)) AS price
            FROM terms
        ), steps AS (
            SELECT *, lag(price) OVER steps AS old_price, lag(quantity) OVER steps AS old_quantity,
                lead(sequence) OVER steps IS NULL AS is_last
            FROM priced WINDOW steps AS (PARTITION BY order_id ORDER BY sequence)
        ), last AS (
            SELECT order_id, max(price) FILTER (WHERE is_last) AS price,
                max(quantity) FILTER (WHERE is_last) AS quantity,
                max(sequence) FILTER (
                    WHERE old_quantity IS NULL OR price IS DISTINCT FROM old_price OR quantity > old_quantity
                        OR moves_stop
                ) AS joined
            FROM steps GROUP BY order_id
        ), queued AS (
            SELECT o.id, o.priority, coalesce(o.price, o.protection_price) AS price, o.quantity,
                last.price AS last_price, last.quantity AS last_quantity,
                CASE WHEN NOT ({HISTORY}) THEN last.joined END AS joined,
                lag(o.id) OVER queue AS ahead, lag(o.priority) OVER queue AS priority_ahead,
                lag(o.id) OVER steady AS older, lag(last.joined) OVER steady AS joined_ahead
            FROM orders o LEFT JOIN last ON last.order_id = o.id
            WHERE {RESTING}
            WINDOW queue AS (PARTITION BY o.stock_id ORDER BY o.priority, last.joined),
                steady AS (PARTITION BY o.stock_id, {HISTORY} ORDER BY o.priority, last.joined)
        )
        SELECT q.id, places.what, places.found, places.expected
        FROM queued q CROSS JOIN LATERAL (VALUES
            ('price', q.price IS NOT DISTINCT FROM q.last_price, CAST(q.price AS text),
                format('%s by the journal', q.last_price)),
            ('quantity', q.quantity = q.last_quantity, CAST(q.quantity AS text),
                format('%s by the journal', q.last_quantity)),
            ('priority', q.priority_ahead IS NULL OR q.priority > q.priority_ahead, CAST(q.priority AS text),
                format('its own, not that of order %s', q.ahead)),
            ('place in time', coalesce(q.joined > q.joined_ahead, true),
                format('priority %s by command %s', q.priority, q.joined),
                format('ahead of order %s, which came by command %s', q.older, q.joined_ahead))
        ) AS places (what, holds, found, expected)
        WHERE places.holds IS NOT TRUE
        ORDER BY q.id
        """,  # noqa: S608 - constants of this file
    ),
)
