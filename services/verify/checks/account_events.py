"""6. What each broker is told is numbered without gaps, and every trade is told to both of its sides."""

from services.verify.checks.rule import Rule

TABLES = ("account_events", "account_counters")

RULES = (
    Rule(
        "account_events",
        """
        WITH told AS (
            SELECT broker_id, sequence, coalesce(lag(sequence) OVER steps, 0) AS before
            FROM account_events WINDOW steps AS (PARTITION BY broker_id ORDER BY sequence)
        )
        SELECT broker_id, sequence, 'sequence' AS what, sequence AS found, before + 1 AS expected
        FROM told WHERE sequence <> before + 1
        ORDER BY broker_id, sequence
        """,
    ),
    Rule(
        "account_counters",
        """
        WITH told AS (SELECT broker_id, max(sequence) AS sequence FROM account_events GROUP BY broker_id)
        SELECT broker_id, 'sequence' AS what, c.sequence AS found, coalesce(t.sequence, 0) AS expected
        FROM account_counters c FULL JOIN told t USING (broker_id)
        WHERE c.sequence IS DISTINCT FROM t.sequence
        ORDER BY broker_id
        """,
    ),
    Rule(
        "trades",
        """
        WITH sides AS (
            SELECT id, buyer_id AS broker_id, buy_order_id AS order_id FROM trades
            UNION ALL SELECT id, seller_id, sell_order_id FROM trades
        )
        SELECT s.id, s.broker_id, s.order_id, 'times that it was told' AS what, count(e.sequence) AS found,
            1 AS expected
        FROM sides s LEFT JOIN account_events e
            ON e.trade_id = s.id AND e.order_id = s.order_id AND e.broker_id = s.broker_id
        GROUP BY s.id, s.broker_id, s.order_id
        HAVING count(e.sequence) <> 1
        ORDER BY s.id, s.order_id
        """,
    ),
    Rule(
        "account_events",
        """
        SELECT e.broker_id, e.sequence, 'order ' || e.order_id || ' in trade' AS what, e.trade_id AS found,
            'one that the order took part in' AS expected
        FROM account_events e LEFT JOIN trades t ON t.id = e.trade_id
        WHERE e.trade_id IS NOT NULL AND (
            (t.buy_order_id = e.order_id AND t.buyer_id = e.broker_id)
            OR (t.sell_order_id = e.order_id AND t.seller_id = e.broker_id)
        ) IS NOT TRUE
        ORDER BY e.broker_id, e.sequence
        """,
    ),
)
