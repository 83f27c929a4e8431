"""3. Balances are the running sum of transfers, and every transfer moves what its kind says."""

from services.verify.checks.rule import Rule

TABLES = ("transfers",)

ENDS = """CASE t.kind
    WHEN 'deposit' THEN t.from_bucket = 'outside' AND t.to_bucket = 'available' AND t.from_broker = t.to_broker
    WHEN 'withdrawal' THEN t.from_bucket = 'available' AND t.to_bucket = 'outside' AND t.from_broker = t.to_broker
    WHEN 'reserve' THEN t.from_bucket = 'available' AND t.to_bucket = 'reserved' AND t.from_broker = t.to_broker
    WHEN 'release' THEN t.from_bucket = 'reserved' AND t.to_bucket = 'available' AND t.from_broker = t.to_broker
    WHEN 'improvement' THEN t.from_bucket = 'reserved' AND t.to_bucket = 'available' AND t.from_broker = t.to_broker
    WHEN 'trade' THEN t.from_bucket = 'reserved' AND t.to_bucket = 'available'
    WHEN 'fee' THEN t.from_bucket <> 'outside' AND t.to_bucket = 'available' AND t.asset_id = 1 AND t.to_broker < 0
    WHEN 'bust' THEN t.from_bucket = 'available' AND t.to_bucket = 'available' AND t.from_broker <> t.to_broker
    WHEN 'adjustment' THEN t.from_bucket = 'available' AND t.to_bucket = 'available' AND t.asset_id = 1
    WHEN 'fee_refund' THEN t.from_bucket = 'available' AND t.to_bucket = 'available' AND t.from_broker < 0
    WHEN 'advance' THEN t.from_bucket = 'available' AND t.to_bucket = 'available' AND t.from_broker < 0
    WHEN 'repayment' THEN t.from_bucket = 'available' AND t.to_bucket = 'available' AND t.to_broker < 0
    ELSE false END
    AND (t.order_id IS NOT NULL) = (t.kind IN ('reserve', 'release', 'improvement', 'trade', 'fee'))
    AND (t.trade_id IS NULL) = (t.kind IN ('deposit', 'withdrawal', 'reserve', 'release', 'repayment'))
    AND t.amount > 0"""

RULES = (
    Rule(
        "balances",
        """
        WITH ends AS (
            SELECT to_broker AS broker_id, asset_id, to_bucket AS bucket, kind, sum(amount) AS amount
            FROM transfers GROUP BY 1, 2, 3, 4
            UNION ALL
            SELECT from_broker, asset_id, from_bucket, kind, -sum(amount) FROM transfers GROUP BY 1, 2, 3, 4
        ), sums AS (
            SELECT broker_id, asset_id,
                sum(CASE bucket WHEN 'available' THEN amount ELSE 0 END) AS available,
                sum(CASE bucket WHEN 'reserved' THEN amount ELSE 0 END) AS reserved,
                sum(CASE WHEN kind IN ('trade', 'fee', 'bust', 'adjustment', 'fee_refund') THEN amount ELSE 0 END)
                    AS traded
            FROM ends GROUP BY broker_id, asset_id
        )
        SELECT broker_id, asset_id, sums.what, sums.found, coalesce(sums.expected, 0) AS expected
        FROM balances b FULL JOIN sums s USING (broker_id, asset_id)
        CROSS JOIN LATERAL (VALUES
            ('available', b.available, s.available), ('reserved', b.reserved, s.reserved),
            ('traded', b.traded, s.traded)
        ) AS sums (what, found, expected)
        WHERE coalesce(sums.found, 0) <> coalesce(sums.expected, 0)
        ORDER BY broker_id, asset_id
        """,
    ),
    Rule(
        "transfers",
        f"""
        SELECT t.id, 'what it moves' AS what,
            format('%s of %s from %s of broker %s to %s of broker %s', t.kind, t.amount, t.from_bucket, t.from_broker,
                t.to_bucket, t.to_broker) AS found,
            'what its kind says' AS expected
        FROM transfers t WHERE NOT ({ENDS})
        ORDER BY t.id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "transfers",
        """
        SELECT t.id, 'account' AS what, format('broker %s, asset %s', t.from_broker, t.asset_id) AS found,
            CASE WHEN o.id IS NULL THEN 'that of an order that exists' ELSE
                format('broker %s, asset %s of order %s', o.broker_id,
                    CASE WHEN o.side = 'bid' OR t.kind = 'fee' THEN 1 ELSE o.stock_id END, o.id) END AS expected
        FROM transfers t LEFT JOIN orders o ON o.id = t.order_id
        WHERE t.order_id IS NOT NULL AND (
            t.from_broker = o.broker_id
            AND t.asset_id = CASE WHEN o.side = 'bid' OR t.kind = 'fee' THEN 1 ELSE o.stock_id END
        ) IS NOT TRUE
        ORDER BY t.id
        """,
    ),
)
"""The account of an order's transfers is its broker's: cash for a bid and for fees, the stock for an ask."""
