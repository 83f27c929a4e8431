"""1. Nothing is made and nothing vanishes: for each asset, all accounts together hold what came in from outside."""

from services.verify.checks.rule import GUARANTEE, Rule

TABLES = ("balances", "assets")

RULES = (
    Rule(
        "assets",
        f"""
        WITH held AS (
            SELECT asset_id, sum(available) + sum(reserved) AS amount, sum(traded) AS traded,
                CASE asset_id WHEN 1 THEN sum(credit_limit) FILTER (WHERE broker_id <> {GUARANTEE})
                    ELSE 0 END AS lent
            FROM balances GROUP BY asset_id
        ), brought AS (
            SELECT asset_id, sum(CASE from_bucket WHEN 'outside' THEN amount ELSE 0 END)
                - sum(CASE to_bucket WHEN 'outside' THEN amount ELSE 0 END) AS amount
            FROM transfers WHERE from_bucket = 'outside' OR to_bucket = 'outside' GROUP BY asset_id
        )
        SELECT a.id, a.code, sums.what, sums.found, sums.expected
        FROM assets a LEFT JOIN held h ON h.asset_id = a.id LEFT JOIN brought b ON b.asset_id = a.id
        CROSS JOIN LATERAL (VALUES
            ('held by all accounts', coalesce(h.amount, 0), coalesce(b.amount, 0)),
            ('net of all trades', coalesce(h.traded, 0), 0),
            ('supply', a.supply, coalesce(b.amount, 0) + coalesce(h.lent, 0))
        ) AS sums (what, found, expected)
        WHERE sums.found <> sums.expected
        ORDER BY a.id
        """,  # noqa: S608 - a constant
    ),
)
"""Deposits less withdrawals; and what one side of a trade gets, the other gives. The supply, by which the exchange
knows how much there may be, also counts the cash that brokers may owe."""
