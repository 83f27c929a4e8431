"""4. Each fill bears what its order's fee grew by, once, and pays it to the exchange; the rest comes back at once.

A fee is ceil(sum of price x quantity x basis points / 10,000) over all fills of an order, each at the rate of its own
liquidity, and the rates are those that came with the order.
"""

from services.verify.checks.rule import Rule

TABLES = ("account_events WHERE fee IS NOT NULL",)

PAYABLE = """(CAST(coalesce(o.maker_notional, 0) AS numeric) * o.maker_bps
    + CAST(o.filled_notional - coalesce(o.maker_notional, 0) AS numeric) * o.taker_bps)"""
"""Cents times basis points, of an order that pays."""

FEE = f"ceil({PAYABLE} / 10000)"

FILLS = """
    sides AS (
        SELECT e.broker_id, e.sequence, e.order_id, e.trade_id, coalesce(e.fee, 0) AS fee, e.price AS limit_price,
            e.remaining_quantity AS left_over, o.side, greatest(o.maker_bps, o.taker_bps) AS highest,
            t.price, t.quantity, CAST(t.price AS numeric) * t.quantity AS notional,
            CASE WHEN t.is_auction OR t.aggressor_side <> o.side THEN o.maker_bps ELSE o.taker_bps END AS bps
        FROM account_events e JOIN trades t ON t.id = e.trade_id JOIN orders o ON o.id = e.order_id
        WHERE e.trade_id IS NOT NULL AND o.maker_bps IS NOT NULL
    ), fills AS (
        SELECT *, notional * bps AS own, sum(notional * bps) OVER (PARTITION BY order_id ORDER BY sequence) AS payable
        FROM sides
    )"""
"""Fills of the orders that pay: `payable` is what has come together by then, in cents times basis points."""

RULES = (
    Rule(
        "orders",
        """
        SELECT o.id, rates.what, rates.found, rates.expected
        FROM orders o JOIN commands c ON c.order_id = o.id AND c.kind IN ('new', 'close')
        CROSS JOIN LATERAL (VALUES
            ('maker_bps', o.maker_bps, CASE WHEN c.refused IS NULL THEN CAST(c.payload ->> 'maker_bps' AS bigint) END),
            ('taker_bps', o.taker_bps, CASE WHEN c.refused IS NULL THEN CAST(c.payload ->> 'taker_bps' AS bigint) END)
        ) AS rates (what, found, expected)
        WHERE c.refused IS NULL AND rates.found IS DISTINCT FROM rates.expected
        ORDER BY o.id
        """,
    ),
    Rule(
        "orders",
        """
        WITH rested AS (
            SELECT order_id, sum(CAST(price AS numeric) * quantity) AS notional FROM (
                SELECT buy_order_id AS order_id, price, quantity FROM trades WHERE is_auction OR aggressor_side = 'ask'
                UNION ALL
                SELECT sell_order_id, price, quantity FROM trades WHERE is_auction OR aggressor_side = 'bid'
            ) sides GROUP BY order_id
        )
        SELECT o.id, 'maker_notional' AS what, coalesce(o.maker_notional, 0) AS found,
            coalesce(r.notional, 0) AS expected
        FROM orders o LEFT JOIN rested r ON r.order_id = o.id
        WHERE CASE WHEN o.maker_bps IS NULL THEN o.maker_notional IS NOT NULL
            ELSE coalesce(o.maker_notional, 0) <> coalesce(r.notional, 0) END
        ORDER BY o.id
        """,
    ),
    Rule(
        "account_events",
        f"""
        WITH {FILLS}
        SELECT broker_id, sequence, order_id, 'fee' AS what, fee AS found,
            ceil(payable / 10000) - ceil((payable - own) / 10000) AS expected
        FROM fills WHERE fee <> ceil(payable / 10000) - ceil((payable - own) / 10000)
        ORDER BY broker_id, sequence
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "account_events",
        """
        WITH paid AS (
            SELECT trade_id, order_id, from_broker AS broker_id, sum(amount) AS amount, count(*) AS times
            FROM transfers WHERE kind = 'fee' GROUP BY 1, 2, 3
        ), borne AS (
            SELECT trade_id, order_id, broker_id, sequence, fee FROM account_events
            WHERE trade_id IS NOT NULL AND coalesce(fee, 0) <> 0
        )
        SELECT broker_id, coalesce(b.sequence, 0) AS sequence, order_id, trade_id, 'fee paid' AS what,
            coalesce(p.amount, 0) AS found, coalesce(b.fee, 0) AS expected
        FROM borne b FULL JOIN paid p USING (trade_id, order_id, broker_id)
        WHERE p.amount IS DISTINCT FROM b.fee OR p.times <> 1
        ORDER BY broker_id, sequence
        """,
    ),
    Rule(
        "trades",
        f"""
        WITH {FILLS}, improved AS (
            SELECT trade_id, order_id, sum(amount) AS amount FROM transfers WHERE kind = 'improvement' GROUP BY 1, 2
        ), back AS (
            SELECT f.*, coalesce(i.amount, 0) AS found, (limit_price - price) * CAST(quantity AS numeric)
                + ceil((payable - own + CAST(left_over + quantity AS numeric) * limit_price * highest) / 10000)
                - ceil((payable + CAST(left_over AS numeric) * limit_price * highest) / 10000) AS expected
            FROM fills f LEFT JOIN improved i ON i.trade_id = f.trade_id AND i.order_id = f.order_id
            WHERE f.side = 'bid'
        )
        SELECT trade_id AS id, order_id, 'improvement in cents' AS what, found, expected
        FROM back WHERE found <> expected
        ORDER BY trade_id
        """,  # noqa: S608 - constants of this file
    ),
)
