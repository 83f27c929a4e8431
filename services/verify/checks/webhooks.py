"""6. What receivers are to be told is numbered without gaps, each once, and each of a fill or bust of their own."""

from services.verify.checks.rule import Rule

TABLES = ("webhook_deliveries", "account_counters")

RULES = (
    Rule(
        "webhook_deliveries",
        """
        WITH numbered AS (
            SELECT broker_id, sequence, lag(sequence, 1, sequence - 1) OVER steps AS before
            FROM webhook_deliveries WHERE sequence IS NOT NULL
            WINDOW steps AS (PARTITION BY broker_id ORDER BY sequence)
        )
        SELECT broker_id, sequence, 'sequence' AS what, sequence AS found, before + 1 AS expected
        FROM numbered WHERE sequence <> before + 1
        ORDER BY broker_id, sequence
        """,
    ),
    Rule(
        "account_counters",
        """
        WITH told AS (SELECT broker_id, max(sequence) AS sequence FROM webhook_deliveries GROUP BY broker_id)
        SELECT broker_id, 'webhook_sequence' AS what, c.webhook_sequence AS found, t.sequence AS expected
        FROM account_counters c FULL JOIN told t USING (broker_id)
        WHERE t.sequence IS NOT NULL AND c.webhook_sequence IS DISTINCT FROM t.sequence
        ORDER BY broker_id
        """,
    ),
    Rule(
        "webhook_deliveries",
        """
        SELECT d.id, d.broker_id, 'what it tells of' AS what, d.account_sequence AS found,
            CASE d.event WHEN 'trade_executed' THEN 'a fill' ELSE 'a bust' END AS expected
        FROM webhook_deliveries d LEFT JOIN account_events e
            ON e.broker_id = d.broker_id AND e.sequence = d.account_sequence
                AND CASE d.event WHEN 'trade_executed' THEN e.trade_id ELSE e.bust_id END IS NOT NULL
        WHERE d.event IN ('trade_executed', 'trade_busted', 'trade_adjusted') AND e.sequence IS NULL
        ORDER BY d.id
        """,
    ),
    Rule(
        "webhook_deliveries",
        """
        SELECT broker_id, account_sequence, 'times that it is told' AS what, count(*) AS found, 1 AS expected
        FROM webhook_deliveries WHERE sequence IS NOT NULL
        GROUP BY broker_id, account_sequence HAVING count(*) <> 1
        ORDER BY broker_id, account_sequence
        """,
    ),
)
"""Old deliveries are removed, the oldest first: numbers begin where those begin that are kept."""
