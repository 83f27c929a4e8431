"""2. No balance is beyond its limit, and what is reserved is what open orders need: each account's, each order's.

Each balance also counts the open orders: that of cash all of its broker, another those of the stock.

An open order needs its price (a market buy: its protection price) times what remains and what its fee may come to by
that, or for an ask the shares that remain. An amendment that waits in the inbox has set aside its own part; an
order that is to close a position has no more until its turn comes. Closed orders need nothing.
"""

from services.verify.checks.fees import FEE, PAYABLE
from services.verify.checks.rule import Rule

TABLES = ("balances", "orders")

NOTIONAL = "CAST(coalesce(o.price, o.protection_price) AS numeric) * o.remaining_quantity"

CLOSES = """(o.status = 'pending' AND EXISTS (
    SELECT FROM commands c
    WHERE c.order_id = o.id AND c.stock_id = o.stock_id AND c.sequence IS NULL AND c.kind = 'close'
))"""
"""It is to close a position, and its turn has not come: it has what its command has set aside."""

NEED = f"""CASE WHEN {CLOSES} THEN 0 WHEN o.side = 'bid' THEN {NOTIONAL}
    + CASE WHEN o.maker_bps IS NULL THEN 0
        ELSE ceil(({PAYABLE} + {NOTIONAL} * greatest(o.maker_bps, o.taker_bps)) / 10000) - {FEE} END
    ELSE o.remaining_quantity END"""

ASSET = "CASE o.side WHEN 'bid' THEN 1 ELSE o.stock_id END"

RULES = (
    Rule(
        "balances",
        """
        SELECT broker_id, asset_id, bounds.what, bounds.found, bounds.expected
        FROM balances CROSS JOIN LATERAL (VALUES
            ('available', available, 'at least ' || -credit_limit, available >= -credit_limit),
            ('reserved', reserved, 'at least 0', reserved >= 0)
        ) AS bounds (what, found, expected, holds)
        WHERE (available < -credit_limit OR reserved < 0) AND NOT bounds.holds
        ORDER BY broker_id, asset_id
        """,
    ),
    Rule(
        "balances",
        f"""
        WITH needs AS (
            SELECT o.broker_id, {ASSET} AS asset_id, {NEED} AS amount FROM orders o WHERE o.closed_at IS NULL
            UNION ALL
            SELECT o.broker_id, {ASSET}, c.reserved
            FROM commands c JOIN orders o ON o.id = c.order_id WHERE c.sequence IS NULL
        ), need AS (
            SELECT broker_id, asset_id, sum(amount) AS amount FROM needs GROUP BY broker_id, asset_id
        )
        SELECT broker_id, asset_id, 'reserved for open orders' AS what, b.reserved AS found,
            coalesce(n.amount, 0) AS expected
        FROM balances b FULL JOIN need n USING (broker_id, asset_id)
        WHERE coalesce(b.reserved, 0) <> coalesce(n.amount, 0)
        ORDER BY broker_id, asset_id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "balances",
        """
        WITH counted AS (
            SELECT o.broker_id, a.asset_id, count(*) AS orders
            FROM orders o CROSS JOIN LATERAL (VALUES (CAST(1 AS bigint)), (o.stock_id)) AS a (asset_id)
            WHERE o.closed_at IS NULL GROUP BY o.broker_id, a.asset_id
        )
        SELECT broker_id, asset_id, 'open_orders' AS what, b.open_orders AS found, coalesce(c.orders, 0) AS expected
        FROM balances b FULL JOIN counted c USING (broker_id, asset_id)
        WHERE coalesce(b.open_orders, 0) <> coalesce(c.orders, 0)
        ORDER BY broker_id, asset_id
        """,
    ),
    Rule(
        "orders",
        f"""
        WITH held AS (
            SELECT order_id, sum(CASE to_bucket WHEN 'reserved' THEN amount ELSE 0 END)
                - sum(CASE from_bucket WHEN 'reserved' THEN amount ELSE 0 END) AS amount
            FROM transfers WHERE order_id IS NOT NULL GROUP BY order_id
        ), waiting AS (
            SELECT order_id, sum(reserved) AS amount FROM commands WHERE sequence IS NULL GROUP BY order_id
        ), reserve AS (
            SELECT o.id, coalesce(h.amount, 0) AS found,
                CASE WHEN o.closed_at IS NULL THEN {NEED} ELSE 0 END + coalesce(w.amount, 0) AS expected
            FROM orders o LEFT JOIN held h ON h.order_id = o.id LEFT JOIN waiting w ON w.order_id = o.id
        )
        SELECT id, 'held for it by its transfers' AS what, found, expected
        FROM reserve WHERE found IS DISTINCT FROM expected
        ORDER BY id
        """,  # noqa: S608 - constants of this file
    ),
)
