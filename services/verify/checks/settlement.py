"""4. Every trade was settled: its price once, its shares once, and the buyer's improvement to the cent.

Of orders that pay fees `services.verify.checks.fees` knows what comes back.
"""

from services.verify.checks.rule import Rule
from services.verify.checks.trades import AMENDED, limit_join, limit_of

TABLES = ("trades",)

PAYMENT = "kind = 'trade' AND asset_id = 1"
DELIVERY = "kind = 'trade' AND asset_id <> 1"

RULES = (
    Rule(
        "trades",
        f"""
        WITH {AMENDED}, moved AS (
            SELECT trade_id,
                sum(amount) FILTER (WHERE {PAYMENT}) AS paid, count(*) FILTER (WHERE {PAYMENT}) AS payments,
                min(from_broker) FILTER (WHERE {PAYMENT}) AS payer, min(to_broker) FILTER (WHERE {PAYMENT}) AS payee,
                min(order_id) FILTER (WHERE {PAYMENT}) AS buy_order_id,
                sum(amount) FILTER (WHERE {DELIVERY}) AS delivered, count(*) FILTER (WHERE {DELIVERY}) AS deliveries,
                min(from_broker) FILTER (WHERE {DELIVERY}) AS giver, min(to_broker) FILTER (WHERE {DELIVERY}) AS taker,
                min(order_id) FILTER (WHERE {DELIVERY}) AS sell_order_id,
                min(asset_id) FILTER (WHERE {DELIVERY}) AS asset_id,
                coalesce(sum(amount) FILTER (WHERE kind = 'improvement'), 0) AS improvement,
                min(order_id) FILTER (WHERE kind = 'improvement') AS improved_order_id
            FROM transfers WHERE trade_id IS NOT NULL GROUP BY trade_id
        )
        SELECT t.id, moves.what, moves.found, moves.expected
        FROM trades t LEFT JOIN moved m ON m.trade_id = t.id LEFT JOIN orders b ON b.id = t.buy_order_id
            {limit_join("buy_order_id", "bid")}
        CROSS JOIN LATERAL (VALUES
            ('cents paid', m.paid, CAST(t.price AS numeric) * t.quantity), ('payments', m.payments, 1),
            ('payer', m.payer, t.buyer_id), ('payee', m.payee, t.seller_id),
            ('order that paid', m.buy_order_id, t.buy_order_id),
            ('shares delivered', m.delivered, t.quantity), ('deliveries', m.deliveries, 1),
            ('broker that delivered', m.giver, t.seller_id), ('broker that received', m.taker, t.buyer_id),
            ('order that delivered', m.sell_order_id, t.sell_order_id), ('stock delivered', m.asset_id, t.stock_id),
            ('improvement in cents', CASE WHEN b.maker_bps IS NULL THEN m.improvement END,
                CASE WHEN b.maker_bps IS NULL THEN CAST({limit_of("bid")} - t.price AS numeric) * t.quantity END),
            ('order improved', m.improved_order_id, CASE WHEN m.improvement > 0 THEN t.buy_order_id END)
        ) AS moves (what, found, expected)
        WHERE moves.found IS DISTINCT FROM moves.expected
        ORDER BY t.id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "transfers",
        """
        SELECT m.id, 'trade' AS what, m.trade_id AS found, 'one that exists' AS expected
        FROM transfers m LEFT JOIN trades t ON t.id = m.trade_id WHERE m.trade_id IS NOT NULL AND t.id IS NULL
        ORDER BY m.id
        """,
    ),
)
