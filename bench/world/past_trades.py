"""Filled orders and their trades in an exchange's past, written in bulk like the rest of its history.

Every second broker only sells and the others only buy, each pair at one price. So what a position cost follows from
sums: shares came in at no cost, so a seller earned all that it was paid, and a buyer's position cost all that it paid.
"""

from __future__ import annotations

from typing import Final

from bench.world.history import PLACED, RESERVED, SEQUENCED, run_step
from bench.world.seed import REFERENCE
from bench.world.world import World

PLAN: Final = """
    CREATE TEMP TABLE plan ON COMMIT DROP AS
    WITH pair AS (
        SELECT n, n / :stocks AS k, n % :stocks AS stock, (n / 7) % (:brokers / 2) AS trader,
            :reference + n % 41 - 20 AS price, CAST(10 * (1 + n % 100) AS bigint) AS quantity,
            nextval('trades_id_seq') AS trade_id
        FROM generate_series(CAST(0 AS bigint), :orders / 2 - 1) AS n
    )
    SELECT nextval('orders_id_seq') AS id, b.id AS broker_id, s.id AS stock_id, s.symbol, pair.trade_id, side.side,
        pair.price, pair.quantity, CASE side.side WHEN 'bid' THEN 1 ELSE s.id END AS asset_id,
        CASE side.side WHEN 'bid' THEN pair.price * pair.quantity ELSE pair.quantity END AS amount,
        s.command_sequence + 2 * pair.k + side.turn AS sequence, s.event_sequence + pair.k + 1 AS event_sequence
    FROM pair CROSS JOIN (VALUES ('ask', 1), ('bid', 2)) AS side (side, turn)
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM stocks) s ON s.place = pair.stock
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM brokers WHERE id > 0) b
        ON b.place = 2 * pair.trader + side.turn - 1
    ORDER BY pair.n, side.turn
"""

FILLED: Final = """
    INSERT INTO orders (id, broker_id, stock_id, document_number, side, order_type, time_in_force, status, price,
        quantity, remaining_quantity, filled_quantity, filled_notional, fingerprint, sequence, priority, closed_at)
    SELECT id, broker_id, stock_id, '52998', side, 'limit', 'gtc', 'filled', price, quantity, 0, quantity,
        price * quantity, sha256(CAST(CAST(id AS text) AS bytea)), sequence, sequence, now()
    FROM plan ORDER BY id
"""

MATCHED: Final = """
    CREATE TEMP TABLE matched ON COMMIT DROP AS
    SELECT bid.trade_id, bid.stock_id, bid.symbol, bid.event_sequence, bid.sequence, bid.price, bid.quantity,
        bid.id AS buy_order_id, ask.id AS sell_order_id, bid.broker_id AS buyer_id, ask.broker_id AS seller_id
    FROM plan bid JOIN plan ask ON ask.trade_id = bid.trade_id AND ask.side = 'ask' WHERE bid.side = 'bid'
"""

TRADED: Final = """
    INSERT INTO trades (id, stock_id, sequence, command_sequence, price, quantity, reference_price, aggressor_side,
        buy_order_id, sell_order_id, buyer_id, seller_id, executed_at)
    SELECT trade_id, stock_id, m.event_sequence, sequence, price, quantity, s.reference_price, 'bid', buy_order_id,
        sell_order_id, buyer_id, seller_id, now()
    FROM matched m JOIN stocks s ON s.id = stock_id ORDER BY trade_id
"""

TOLD: Final = """
    INSERT INTO events (stock_id, sequence, kind, payload)
    SELECT stock_id, event_sequence, 'TRADE_EXECUTED', json_build_object('symbol', symbol, 'sequence', event_sequence,
        'trade_id', trade_id, 'price', price, 'quantity', quantity, 'aggressor_side', 'bid', 'executed_at',
        to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.US"Z"'))
    FROM matched ORDER BY trade_id
"""

SETTLED: Final = """
    INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id, trade_id)
    SELECT 'trade', leg.asset_id, leg.amount, leg.giver, 'reserved', leg.taker, 'available', leg.order_id, trade_id
    FROM matched CROSS JOIN LATERAL (VALUES
        (CAST(1 AS bigint), price * quantity, buyer_id, seller_id, buy_order_id),
        (stock_id, quantity, seller_id, buyer_id, sell_order_id)
    ) AS leg (asset_id, amount, giver, taker, order_id)
    ORDER BY trade_id
"""

FILLED_TOLD: Final = """
    INSERT INTO account_events (broker_id, sequence, kind, order_id, trade_id, status, price, quantity,
        filled_quantity, remaining_quantity, filled_notional, happened_at)
    SELECT side.broker_id, row_number() OVER (PARTITION BY side.broker_id ORDER BY trade_id, side.order_id),
        'ORDER_FILLED', side.order_id, trade_id, 'filled', price, quantity, quantity, 0, price * quantity, now()
    FROM matched CROSS JOIN LATERAL (VALUES (buyer_id, buy_order_id), (seller_id, sell_order_id))
        AS side (broker_id, order_id)
"""

COUNTED: Final = """
    INSERT INTO account_counters (broker_id, sequence)
    SELECT broker_id, max(sequence) FROM account_events GROUP BY broker_id
"""

MOVED: Final = """
    UPDATE balances b SET available = b.available + sums.amount, traded = b.traded + sums.amount,
        cost = b.cost + sums.cost, realised_pnl = b.realised_pnl + sums.realised
    FROM (
        SELECT leg.broker_id, leg.asset_id, sum(leg.amount) AS amount, sum(leg.cost) AS cost,
            sum(leg.realised) AS realised
        FROM matched CROSS JOIN LATERAL (VALUES
            (buyer_id, CAST(1 AS bigint), -price * quantity, 0, 0), (seller_id, 1, price * quantity, 0, 0),
            (buyer_id, stock_id, quantity, price * quantity, 0), (seller_id, stock_id, -quantity, 0, price * quantity)
        ) AS leg (broker_id, asset_id, amount, cost, realised)
        GROUP BY leg.broker_id, leg.asset_id
    ) AS sums
    WHERE b.broker_id = sums.broker_id AND b.asset_id = sums.asset_id
"""

PRICED: Final = """
    UPDATE stocks s SET event_sequence = last.event_sequence, last_price = last.price
    FROM (SELECT DISTINCT ON (stock_id) stock_id, event_sequence, price FROM matched
        ORDER BY stock_id, event_sequence DESC) AS last
    WHERE s.id = last.stock_id
"""


def add_filled_orders(world: World, orders: int) -> None:
    """That many orders (an even number), each pair of which traded with each other, evenly over stocks and brokers.

    To be called before any process has started, and before anything is open.
    """
    values = {"stocks": len(world.symbols), "brokers": len(world.traders), "reference": REFERENCE, "orders": orders}
    steps = (PLACED, FILLED, RESERVED, MATCHED, TRADED, TOLD, SETTLED, FILLED_TOLD, COUNTED, MOVED, SEQUENCED, PRICED)
    with world.engine.begin() as connection:
        run_step(connection, PLAN, **values)
        for step in steps:
            run_step(connection, step)
    world.tidy()
