"""4. An order's quantities add up, are the sum of its trades, and agree with its status."""

from services.verify.checks.rule import Rule

TABLES = ("orders",)

STATUS_HOLDS = """CASE o.status
    WHEN 'pending' THEN o.filled_quantity = 0 AND o.cancelled_quantity = 0
    WHEN 'untriggered' THEN o.filled_quantity = 0
    WHEN 'open' THEN o.filled_quantity = 0
    WHEN 'partially_filled' THEN o.filled_quantity > 0
    WHEN 'filled' THEN o.filled_quantity > 0
    WHEN 'cancelled' THEN o.cancelled_quantity > 0
    WHEN 'expired' THEN o.cancelled_quantity > 0
    WHEN 'rejected' THEN o.cancelled_quantity = o.quantity
    ELSE false END
    AND (o.status IN ('pending', 'untriggered', 'open', 'partially_filled')) = (o.remaining_quantity > 0)
    AND (o.closed_at IS NULL) = (o.remaining_quantity > 0)
    AND (o.status = 'pending') = (o.sequence IS NULL)
    AND (o.status <> 'rejected' OR o.close_reason IS NOT NULL)
    AND (o.close_reason IS NULL OR o.status = ANY(ARRAY['rejected', 'cancelled']))"""

RULES = (
    Rule(
        "orders",
        """
        WITH fills AS (
            SELECT order_id, sum(quantity) AS quantity, sum(CAST(price AS numeric) * quantity) AS notional
            FROM (
                SELECT buy_order_id AS order_id, price, quantity FROM trades
                UNION ALL SELECT sell_order_id, price, quantity FROM trades
            ) sides GROUP BY order_id
        )
        SELECT o.id, sums.what, sums.found, sums.expected
        FROM orders o LEFT JOIN fills f ON f.order_id = o.id
        CROSS JOIN LATERAL (VALUES
            ('filled quantity', o.filled_quantity, coalesce(f.quantity, 0)),
            ('filled notional', o.filled_notional, coalesce(f.notional, 0))
        ) AS sums (what, found, expected)
        WHERE (o.filled_quantity <> coalesce(f.quantity, 0) OR o.filled_notional <> coalesce(f.notional, 0))
            AND sums.found <> sums.expected
        ORDER BY o.id
        """,
    ),
    Rule(
        "orders",
        """
        SELECT id, 'filled + remaining + cancelled' AS what,
            format('%s + %s + %s', filled_quantity, remaining_quantity, cancelled_quantity) AS found,
            quantity AS expected
        FROM orders WHERE quantity <> filled_quantity + remaining_quantity + cancelled_quantity
            OR filled_quantity < 0 OR remaining_quantity < 0 OR cancelled_quantity < 0
        ORDER BY id
        """,
    ),
    Rule(
        "orders",
        f"""
        SELECT o.id, 'status' AS what,
            format('%s with %s filled, %s remaining, %s cancelled', o.status, o.filled_quantity, o.remaining_quantity,
                o.cancelled_quantity) AS found,
            'one that goes with its quantities' AS expected
        FROM orders o WHERE NOT ({STATUS_HOLDS})
        ORDER BY o.id
        """,  # noqa: S608 - constants of this file
    ),
)
