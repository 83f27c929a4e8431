"""How money and shares are set aside, in the statements that store what they are set aside for."""

RESERVE = """need AS (
        SELECT broker_id, asset_id, sum(amount) AS amount FROM fresh WHERE amount > 0 GROUP BY broker_id, asset_id
    ), locked AS MATERIALIZED (
        SELECT b.broker_id, b.asset_id, b.available, b.reserved,
            CASE WHEN b.blocked THEN -1 ELSE b.available::numeric + b.credit_limit END AS funds, need.amount
        FROM balances b JOIN need USING (broker_id, asset_id)
        ORDER BY b.broker_id, b.asset_id FOR NO KEY UPDATE OF b
    ), poor AS (
        SELECT broker_id, asset_id, LEAST(funds, 9223372036854775807)::bigint AS funds FROM locked WHERE funds < amount
    ), granted AS MATERIALIZED (
        SELECT n, broker_id, asset_id, amount FROM (
            SELECT n, broker_id, asset_id, amount, funds, coalesce(granted_in_turn(amount, funds) OVER (
                PARTITION BY broker_id, asset_id ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0) AS spent
            FROM poor JOIN fresh USING (broker_id, asset_id) WHERE amount > 0
        ) AS in_turn
        WHERE amount <= funds - spent
    ), given AS MATERIALIZED (
        SELECT broker_id, asset_id, available, reserved, CASE WHEN funds >= amount THEN amount ELSE (
            SELECT sum(g.amount) FROM granted g WHERE g.broker_id = locked.broker_id AND g.asset_id = locked.asset_id
        ) END::bigint AS amount
        FROM locked
    ), reserved AS (
        UPDATE balances b SET available = given.available - given.amount, reserved = given.reserved + given.amount
        FROM given
        WHERE b.broker_id = given.broker_id AND b.asset_id = given.asset_id AND given.amount > 0
        RETURNING b.broker_id, b.asset_id
    ), accepted AS (
        SELECT * FROM fresh
        WHERE amount = 0 OR (broker_id, asset_id) IN (SELECT * FROM reserved)
            AND ((broker_id, asset_id) NOT IN (SELECT broker_id, asset_id FROM poor) OR n IN (SELECT n FROM granted))
    )"""
"""Common table expressions that set aside what orders need. They stand between two parts of their statement:

- before them `fresh` (n, broker_id, asset_id, amount, …): the requests, `n` being their order of arrival, each with the
  `amount` (cents or shares) that it needs; 0 for one that needs nothing;
- after them `accepted`, with all columns of `fresh`: the requests that are paid for.

Each account gives in order of `n`, and passes over what it cannot pay for. The
balances are locked in the order that everybody keeps, and read as they are once they are locked. Few accounts are too
poor for all that is asked of them; only those walk through their orders one by one.

What the UPDATE finds may be older than what is locked, and PostgreSQL checks constraints before it looks again: so it
takes the figures of `locked`. Looking again is right only where an UPDATE joins a table or one materialized expression,
not a UNION. Nothing is accepted whose balance it did not change.
"""
