"""What an exchange has behind it: closed orders in its tables and open ones in its books, written in bulk.

The rows are those that placing, matching and cancelling would have left, so `minex verify --replay` finds nothing to
say about them. To be called before any process has started: nobody is told.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from bench.world.seed import REFERENCE
from bench.world.world import World

GAP = 21
"""Cents between the reference price and the first open order on each side: random orders within 20 cents meet each
other there, and never these."""

LEVELS = 900
"""Prices a side that the open orders are spread over; all lie within the band."""

UNCHECKED = "SET LOCAL session_replication_role = replica"
"""No foreign key is looked up for rows that are right by construction; that takes most of the time."""

PLAN_CLOSED = """
    CREATE TEMP TABLE plan ON COMMIT DROP AS
    SELECT nextval('orders_id_seq') AS id, b.id AS broker_id, s.id AS stock_id, turn.side, turn.price, turn.quantity,
        CASE turn.side WHEN 'bid' THEN 1 ELSE s.id END AS asset_id,
        CASE turn.side WHEN 'bid' THEN turn.price * turn.quantity ELSE turn.quantity END AS amount,
        s.command_sequence + 2 * turn.k + 1 AS sequence
    FROM (
        SELECT n, n / :stocks AS k, n % :stocks AS stock, (n / 7) % :brokers AS broker,
            CASE n % 2 WHEN 0 THEN 'bid' ELSE 'ask' END AS side, :reference + n % 41 - 20 AS price,
            CAST(10 * (1 + n % 100) AS bigint) AS quantity
        FROM generate_series(CAST(0 AS bigint), :orders - 1) AS n
    ) AS turn
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM stocks) s ON s.place = turn.stock
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM brokers WHERE id > 0) b ON b.place = turn.broker
    ORDER BY turn.n
"""

PLAN_OPEN = """
    CREATE TEMP TABLE plan ON COMMIT DROP AS
    SELECT nextval('orders_id_seq') AS id, b.id AS broker_id, s.id AS stock_id, turn.side,
        CASE turn.side WHEN 'bid' THEN :reference - away ELSE :reference + away END AS price, turn.quantity,
        CASE turn.side WHEN 'bid' THEN 1 ELSE s.id END AS asset_id,
        CASE turn.side WHEN 'bid' THEN (:reference - away) * turn.quantity ELSE turn.quantity END AS amount,
        s.command_sequence + 1 + turn.n AS sequence
    FROM (
        SELECT n, n % :brokers AS broker, CASE n % 2 WHEN 0 THEN 'bid' ELSE 'ask' END AS side,
            :gap + (n / 2) % :levels AS away, CAST(10 * (1 + n % 100) AS bigint) AS quantity
        FROM generate_series(CAST(0 AS bigint), :orders - 1) AS n
    ) AS turn
    CROSS JOIN stocks s
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM brokers WHERE id > 0) b ON b.place = turn.broker
    ORDER BY turn.n, s.id
"""

PLACED = """
    INSERT INTO commands (stock_id, kind, order_id, broker_id, payload, sequence, sequenced_at)
    SELECT stock_id, 'new', id, broker_id, json_build_object('document', '52998', 'side', side, 'type', 'limit',
        'tif', 'gtc', 'price', price, 'quantity', quantity, 'expire_at', NULL, 'stp', NULL), sequence, now()
    FROM plan ORDER BY id
"""

RESERVED = """
    INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id)
    SELECT 'reserve', asset_id, amount, broker_id, 'available', broker_id, 'reserved', id FROM plan ORDER BY id
"""

CLOSED = """
    INSERT INTO orders (id, broker_id, stock_id, document_number, side, order_type, time_in_force, status, price,
        quantity, remaining_quantity, cancelled_quantity, fingerprint, sequence, priority, closed_at)
    SELECT id, broker_id, stock_id, '52998', side, 'limit', 'gtc', 'cancelled', price, quantity, 0, quantity,
        sha256(CAST(CAST(id AS text) AS bytea)), sequence, sequence, now()
    FROM plan ORDER BY id
"""

CANCELLED = """
    INSERT INTO commands (stock_id, kind, order_id, broker_id, payload, sequence, sequenced_at)
    SELECT stock_id, 'cancel', id, broker_id, '{}', sequence + 1, now() FROM plan ORDER BY id
"""

RELEASED = """
    INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id)
    SELECT 'release', asset_id, amount, broker_id, 'reserved', broker_id, 'available', id FROM plan ORDER BY id
"""

OPEN = """
    INSERT INTO orders (id, broker_id, stock_id, document_number, side, order_type, time_in_force, status, price,
        quantity, remaining_quantity, fingerprint, sequence, priority)
    SELECT id, broker_id, stock_id, '52998', side, 'limit', 'gtc', 'open', price, quantity, quantity,
        sha256(CAST(CAST(id AS text) AS bytea)), sequence, sequence
    FROM plan ORDER BY id
"""

HELD = """
    UPDATE balances b SET available = b.available - need.amount, reserved = b.reserved + need.amount
    FROM (SELECT broker_id, asset_id, sum(amount) AS amount FROM plan GROUP BY broker_id, asset_id) AS need
    WHERE b.broker_id = need.broker_id AND b.asset_id = need.asset_id
"""

COUNTED = """
    UPDATE balances b SET open_orders = b.open_orders + counted.orders
    FROM (
        SELECT plan.broker_id, a.asset_id, count(*) AS orders
        FROM plan CROSS JOIN LATERAL (VALUES (CAST(1 AS bigint)), (plan.stock_id)) AS a (asset_id)
        GROUP BY plan.broker_id, a.asset_id
    ) AS counted
    WHERE b.broker_id = counted.broker_id AND b.asset_id = counted.asset_id
"""

SEQUENCED = """
    UPDATE stocks s SET command_sequence = last.sequence, sequenced_at = now()
    FROM (SELECT stock_id, max(sequence) AS sequence FROM commands GROUP BY stock_id) AS last
    WHERE s.id = last.stock_id
"""

BEST = """
    UPDATE stocks s SET best_bid = best.bid, best_ask = best.ask,
        best_bid_quantity = (
            SELECT sum(p.quantity) FROM plan p WHERE p.stock_id = s.id AND p.side = 'bid' AND p.price = best.bid
        ),
        best_ask_quantity = (
            SELECT sum(p.quantity) FROM plan p WHERE p.stock_id = s.id AND p.side = 'ask' AND p.price = best.ask
        )
    FROM (
        SELECT stock_id, max(price) FILTER (WHERE side = 'bid') AS bid, min(price) FILTER (WHERE side = 'ask') AS ask
        FROM plan GROUP BY stock_id
    ) AS best WHERE s.id = best.stock_id
"""


def add_cancelled_orders(world: World, orders: int) -> None:
    """That many orders, each placed and cancelled, evenly over stocks, brokers and sides."""
    values = {"stocks": len(world.symbols), "brokers": len(world.traders), "reference": REFERENCE, "orders": orders}
    with world.engine.begin() as connection:
        run_step(connection, PLAN_CLOSED, **values)
        for step in (PLACED, CANCELLED, CLOSED, RESERVED, RELEASED, SEQUENCED):
            run_step(connection, step)
    world.tidy()


def add_open_orders(world: World, orders: int) -> None:
    """That many orders in the book of each stock, half of them bids; nothing else may be open yet."""
    values = {"brokers": len(world.traders), "reference": REFERENCE, "orders": orders, "gap": GAP, "levels": LEVELS}
    with world.engine.begin() as connection:
        run_step(connection, PLAN_OPEN, **values)
        for step in (PLACED, OPEN, RESERVED, HELD, COUNTED, SEQUENCED, BEST):
            run_step(connection, step)
    world.tidy()


def run_step(connection: Connection, statement: str, **values: int) -> None:
    """One statement of a history, its foreign keys unchecked."""
    connection.execute(text(UNCHECKED))
    connection.execute(text(statement), values)
