"""How money and shares are set aside, in the statements that store what they are set aside for."""

RESERVE = """need AS (
        SELECT broker_id, asset_id, sum(amount) AS amount FROM fresh WHERE amount > 0 GROUP BY broker_id, asset_id
    ), locked AS MATERIALIZED (
        SELECT b.broker_id, b.asset_id, need.amount
        FROM balances b JOIN need USING (broker_id, asset_id)
        ORDER BY b.broker_id, b.asset_id FOR NO KEY UPDATE OF b
    ), reserved AS (
        UPDATE balances b SET available = b.available - l.amount, reserved = b.reserved + l.amount
        FROM locked l
        WHERE b.broker_id = l.broker_id AND b.asset_id = l.asset_id AND b.available - l.amount >= -b.credit_limit
        RETURNING b.broker_id, b.asset_id
    ), accepted AS (
        SELECT fresh.* FROM fresh WHERE amount = 0 OR (broker_id, asset_id) IN (SELECT * FROM reserved)
    )"""
"""Common table expressions that set aside what the rows of `fresh` need (`amount` of `asset_id` from `broker_id`).

`accepted` has those whose account can pay, account by account all or none; the balances are locked in the order that
everybody keeps. What an account needs is summed as numeric: wishes that nobody could pay for must not pass the end of a
bigint and take the whole batch with them.
"""
