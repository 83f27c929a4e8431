"""How money and shares are set aside, in the statements that store what they are set aside for."""


def recording(source: str, order_id: str) -> str:
    """A common table expression, `ledger`: the transfer that sets aside the `amount` of each row of `source`.

    `order_id` is its column that names the order. Nothing is written of what needs nothing.
    """
    return f"""ledger AS (
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id)
        SELECT 'reserve', asset_id, amount, broker_id, 'available', broker_id, 'reserved', {order_id}
        FROM {source} WHERE amount > 0
    )"""  # noqa: S608 - names of ours


LOCKED = """need AS (
        SELECT broker_id, asset_id, sum(amount) AS amount, sum(orders) AS orders FROM share GROUP BY broker_id, asset_id
    ), locked AS MATERIALIZED (
        SELECT b.broker_id, b.asset_id, b.available, b.reserved, b.open_orders, b.blocked,
            LEAST(b.available::numeric + b.credit_limit, 9223372036854775807)::bigint AS funds,
            need.amount, need.orders
        FROM balances b JOIN need USING (broker_id, asset_id)
        ORDER BY b.broker_id, b.asset_id FOR NO KEY UPDATE OF b
    )"""
"""Common table expressions that lock balances in the order that everybody keeps, and read them as they are then.

Before them stand `fresh` (n, broker_id, stock_id, asset_id, amount, …): the requests, `n` being their order of arrival,
each with the `amount` (cents or shares) of `asset_id` that it needs, 0 for one that needs nothing; and `share` (n,
broker_id, asset_id, amount, orders): what each of them needs of each balance, and the open orders that it adds to it.
"""

PAID = """paid AS MATERIALIZED (
        SELECT n, broker_id, stock_id FROM (
            SELECT f.n, f.broker_id, f.stock_id, f.amount, l.funds, coalesce(granted_in_turn(f.amount, l.funds) OVER (
                PARTITION BY f.broker_id, f.asset_id ORDER BY f.n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0) AS spent
            FROM fresh f LEFT JOIN locked l ON l.broker_id = f.broker_id AND l.asset_id = f.asset_id
        ) AS in_turn
        WHERE amount = 0
            OR amount <= funds - spent AND broker_id NOT IN (SELECT broker_id FROM locked WHERE blocked)
    )"""
"""After LOCKED: the requests that can be paid for. Each account gives in order of arrival, and passes over what it
cannot pay for; a broker with a blocked one has nothing to give."""

ACCEPTED = """given AS MATERIALIZED (
        SELECT l.broker_id, l.asset_id, l.available, l.reserved, l.open_orders,
            CAST(sum(s.amount) AS bigint) AS amount, CAST(sum(s.orders) AS bigint) AS orders
        FROM locked l JOIN share s ON s.broker_id = l.broker_id AND s.asset_id = l.asset_id
        WHERE s.n IN (SELECT n FROM granted)
        GROUP BY l.broker_id, l.asset_id, l.available, l.reserved, l.open_orders
    ), reserved AS (
        UPDATE balances b SET available = given.available - given.amount, reserved = given.reserved + given.amount,
            open_orders = given.open_orders + given.orders
        FROM given
        WHERE b.broker_id = given.broker_id AND b.asset_id = given.asset_id
        RETURNING b.broker_id, b.asset_id
    ), accepted AS (
        SELECT * FROM fresh
        WHERE n IN (SELECT n FROM granted) AND (amount = 0 OR (broker_id, asset_id) IN (SELECT * FROM reserved))
    )"""
"""After PAID and `granted` (n), those of `paid` that are granted: sets aside what these need, and gives them, with all
columns of `fresh`.

What the UPDATE finds may be older than what is locked, and PostgreSQL checks constraints before it looks again: so it
takes the figures of `locked`. Looking again is right only where an UPDATE joins a table or one materialized expression,
not a UNION. Nothing is accepted whose balance it did not change.
"""
