"""4. Every trade has one buyer and one seller, at a price within both limits, the band and the tick.

Amendments change an order's row later, so a trade is held against the limits that the journal gave its orders at the
command that caused it. The band lies around the reference that each trade was stored with; where a command moves the
reference itself (the end of an auction, a band that follows the last price), only the replay of the journal can tell.
"""

from services.verify.checks.rule import Rule

TABLES = ("trades",)

AMENDED = """
    amended AS MATERIALIZED (
        SELECT order_id, sequence, lead(sequence) OVER (PARTITION BY order_id ORDER BY sequence) AS until,
            CAST(payload ->> 'price' AS bigint) AS price
        FROM commands WHERE kind = 'amend' AND sequence IS NOT NULL AND refused IS NULL
    )"""
"""The amendments that were carried out, each with its limit (cents) and the sequence of the next one."""


def limit_join(order: str, side: str) -> str:
    """Joins trade `t` with what gave its order the limit: `<side>_new`, and where it was amended `<side>_amended`."""
    return f"""
        LEFT JOIN commands {side}_new ON {side}_new.order_id = t.{order} AND {side}_new.kind IN ('new', 'close')
            AND {side}_new.refused IS NULL AND {side}_new.sequence <= t.command_sequence
        LEFT JOIN amended {side}_amended ON {side}_amended.order_id = t.{order}
            AND {side}_amended.sequence <= t.command_sequence
            AND ({side}_amended.until IS NULL OR {side}_amended.until > t.command_sequence)"""


def limit_of(side: str) -> str:
    """The limit in cents that `limit_join` found; null for a market sell."""
    return f"coalesce({side}_amended.price, CAST({side}_new.payload ->> 'price' AS bigint))"


BANDS = """
    bands AS (
        SELECT t.id, s.tick_size, s.lot_size,
            greatest((t.reference_price * (10000 - s.band_bps) + unit - 1) / unit * s.tick_size, s.tick_size) AS lowest,
            t.reference_price * (10000 + s.band_bps) / unit * s.tick_size AS highest,
            t.reference_price IS NOT NULL AND s.band_bps > 0 AND s.band_reference = 'session'
                AND c.kind NOT IN ('state', 'uncross') AS banded
        FROM trades t JOIN stocks s ON s.id = t.stock_id
        LEFT JOIN commands c ON c.stock_id = t.stock_id AND c.sequence = t.command_sequence
        CROSS JOIN LATERAL (SELECT 10000 * s.tick_size AS unit) AS units
    )"""
"""For each trade the lowest and the highest price in cents, rounded inward to a tick, where a band was in force."""

AGGRESSOR = """c.refused IS NULL AND (
    c.kind IN ('new', 'amend', 'close')
        AND (c.order_id = aggressor.id OR aggressor.order_type IN ('stop', 'stop_limit'))
    OR c.kind IN ('state', 'uncross')
)"""
"""The command's own order trades, or a stop that it elected; at the end of an auction any two."""

RULES = (
    Rule(
        "trades",
        f"""
        SELECT t.id, parties.what, parties.found, parties.expected
        FROM trades t LEFT JOIN orders b ON b.id = t.buy_order_id LEFT JOIN orders a ON a.id = t.sell_order_id
        LEFT JOIN orders aggressor
            ON aggressor.id = CASE t.aggressor_side WHEN 'bid' THEN t.buy_order_id ELSE t.sell_order_id END
        LEFT JOIN commands c ON c.stock_id = t.stock_id AND c.sequence = t.command_sequence
        CROSS JOIN LATERAL (VALUES
            ('side of the buy order', b.side, 'bid'), ('side of the sell order', a.side, 'ask'),
            ('buyer', CAST(t.buyer_id AS text), CAST(b.broker_id AS text)),
            ('seller', CAST(t.seller_id AS text), CAST(a.broker_id AS text)),
            ('stock of the buy order', CAST(b.stock_id AS text), CAST(t.stock_id AS text)),
            ('stock of the sell order', CAST(a.stock_id AS text), CAST(t.stock_id AS text)),
            ('aggressor_side', t.aggressor_side,
                CASE WHEN t.aggressor_side IN ('bid', 'ask') THEN t.aggressor_side ELSE 'bid or ask' END),
            ('time of execution', CAST(t.executed_at AS text), CAST(c.sequenced_at AS text)),
            ('aggressor', CAST(aggressor.id AS text),
                CASE WHEN {AGGRESSOR} THEN CAST(aggressor.id AS text)
                    WHEN c.refused IS NULL AND c.kind IN ('new', 'amend', 'close') THEN CAST(c.order_id AS text) END)
        ) AS parties (what, found, expected)
        WHERE (
            b.side = 'bid' AND a.side = 'ask' AND t.buyer_id = b.broker_id AND t.seller_id = a.broker_id
            AND b.stock_id = t.stock_id AND a.stock_id = t.stock_id AND t.aggressor_side IN ('bid', 'ask')
            AND t.executed_at = c.sequenced_at
            AND {AGGRESSOR}
        ) IS NOT TRUE AND parties.found IS DISTINCT FROM parties.expected
        ORDER BY t.id
        """,  # noqa: S608 - constants of this file
    ),
    Rule(
        "trades",
        f"""
        WITH {AMENDED}, {BANDS}, limited AS (
            SELECT t.id, t.price, t.quantity, {limit_of("bid")} AS bid_limit,
                CASE WHEN ask_new.id IS NOT NULL THEN coalesce({limit_of("ask")}, 1) END AS ask_limit
            FROM trades t {limit_join("buy_order_id", "bid")} {limit_join("sell_order_id", "ask")}
        )
        SELECT t.id, bounds.what, bounds.found, bounds.expected
        FROM limited t LEFT JOIN bands r ON r.id = t.id
        CROSS JOIN LATERAL (VALUES
            ('price', t.price <= t.bid_limit, t.price, format('at most the buyer''s limit of %s', t.bid_limit)),
            ('price', t.price >= t.ask_limit, t.price, format('at least the seller''s limit of %s', t.ask_limit)),
            ('price', t.price > 0 AND t.price % r.tick_size = 0, t.price, format('a multiple of %s', r.tick_size)),
            ('quantity', t.quantity > 0 AND t.quantity % r.lot_size = 0, t.quantity,
                format('a multiple of %s', r.lot_size)),
            ('price', NOT r.banded OR t.price BETWEEN r.lowest AND r.highest, t.price,
                format('in the band from %s to %s', r.lowest, r.highest))
        ) AS bounds (what, holds, found, expected)
        WHERE (
            t.price <= t.bid_limit AND t.price >= t.ask_limit AND t.price > 0 AND t.price % r.tick_size = 0
            AND t.quantity > 0 AND t.quantity % r.lot_size = 0
            AND (NOT r.banded OR t.price BETWEEN r.lowest AND r.highest)
        ) IS NOT TRUE AND bounds.holds IS NOT TRUE
        ORDER BY t.id
        """,  # noqa: S608 - constants of this file
    ),
)
