"""Ways to change one row behind the exchange's back, and what each of them breaks."""

import contextlib
import json

from sqlalchemy import text

OPEN = "stock_id = :last AND closed_at IS NULL AND status <> 'pending'"
FILLED = "stock_id = :last AND status = 'filled'"
TRADED = "kind = 'trade' AND asset_id = 1 AND trade_id IN (SELECT id FROM trades WHERE stock_id = :last)"
NEVER_DEPOSITED = """asset_id <> 1 AND traded <> 0 AND (broker_id, asset_id) NOT IN (
    SELECT to_broker, asset_id FROM transfers WHERE kind = 'deposit')"""
NEIGHBOURS = """SELECT o.id FROM orders o JOIN orders n ON n.id = o.id + 1
    WHERE o.maker_bps IS NULL AND n.maker_bps IS NULL"""
"""Orders that pay no fees, and nor does the next one."""

BUSTED = "id = (SELECT max(id) FROM busts WHERE status = 'done' AND new_price IS NULL)"
ADJUSTED = "id = (SELECT max(id) FROM busts WHERE status = 'done' AND new_price IS NOT NULL)"
OF_BUST = f"trade_id = (SELECT trade_id FROM busts WHERE {BUSTED})"
"""The latest of each kind."""

JOURNAL = "stock_id = :last AND sequence IS NOT NULL"

CASES = {
    "a bust forgotten": ("busts", BUSTED, {"status": "'rejected'"}, {3}),
    "a bust at another price": ("busts", ADJUSTED, {"new_price": "new_price + 1"}, {3}),
    "notional of a bust": ("busts", BUSTED, {"notional": "notional + 1"}, {3}),
    "last price after a bust": ("busts", BUSTED, {"last_price": "last_price + 1"}, {3, 7}),
    "command of a bust": ("busts", BUSTED, {"command_sequence": "command_sequence - 1"}, {3, 7}),
    "event of a bust": ("busts", BUSTED, {"event_sequence": "event_sequence - 1"}, {3}),
    "a bust that one person confirmed": ("busts", BUSTED, {"confirmed_by": "asked_by"}, {3}),
    "a busted trade stands": (
        "trades", f"id = (SELECT trade_id FROM busts WHERE {BUSTED})", {"busted_at": "NULL"}, {3, 6, 7},
    ),
    "a trade that was not busted": ("trades", "stock_id = :last", {"busted_at": "executed_at"}, {3, 7}),
    "price at which a trade stands": (
        "trades", f"id = (SELECT trade_id FROM busts WHERE {ADJUSTED})", {"adjusted_price": "adjusted_price + 1"},
        {3, 6, 7},
    ),
    "what a bust gave back": (
        "transfers", f"kind = 'bust' AND asset_id = 1 AND {OF_BUST}", {"amount": "amount - 1"}, {3},
    ),
    "what a bust gave to another": ("transfers", f"kind = 'bust' AND {OF_BUST}", {"to_broker": "to_broker - 1"}, {3}),
    "fee that a bust returned": ("transfers", f"kind = 'fee_refund' AND {OF_BUST}", {"amount": "amount + 1"}, {3}),
    "what was advanced": ("receivable_entries", "amount > 0", {"amount": "amount + 1"}, {3}),
    "an advance forgotten": ("receivable_entries", "amount > 0", {}, {3}),
    "what a debtor owes": ("balances", "owed > 0", {"owed": "owed + 1"}, {3}),
    "a debtor that may trade": ("brokers", "status = 'close_only'", {"status": "'active'"}, {3}),
    "a bust that a party was not told of": ("account_events", "bust_id IS NOT NULL", {"bust_id": "NULL"}, {3}),
    "cash from nowhere": ("balances", "asset_id = 1", {"available": "available + 1"}, {1, 3}),
    "shares vanish": ("balances", "asset_id = :last", {"available": "available - 1"}, {1, 3}),
    "cash no longer reserved": (
        "balances", "asset_id = 1 AND reserved > 0", {"available": "available + 1", "reserved": "reserved - 1"}, {2, 3},
    ),
    "count of a broker's open orders": (
        "balances", "asset_id = 1 AND open_orders > 0", {"open_orders": "open_orders - 1"}, {2},
    ),
    "count of open orders in a stock": ("balances", "asset_id = :last", {"open_orders": "open_orders + 1"}, {2}),
    "beyond the limit": ("balances", "asset_id = 1 AND broker_id > 0", {"credit_limit": "-available - 1"}, {1, 2}),
    "supply of an asset": ("assets", "id = 1", {"supply": "supply + 1"}, {1}),
    "net of trades": ("balances", "asset_id = 1 AND traded > 0", {"traded": "traded + 1"}, {1, 3}),
    "cost of a position": ("balances", NEVER_DEPOSITED, {"cost": "cost + 1"}, {7}),
    "profit of a position": ("balances", "asset_id = :last AND traded > 0", {"realised_pnl": "1"}, {7}),
    "an account is gone": ("balances", "asset_id = :last AND traded > 0 AND reserved = 0", {}, {1, 2, 3}),
    "amount of a payment": ("transfers", TRADED, {"amount": "amount + 1"}, {2, 3, 4}),
    "payment to another": ("transfers", TRADED, {"to_broker": "to_broker + 1"}, {3, 4}),
    "payment without its trade": ("transfers", TRADED, {"trade_id": "NULL"}, {3, 4}),
    "an improvement is gone": ("transfers", "kind = 'improvement'", {}, {2, 3, 4}),
    "cost of a deposit": ("external_transfers", "asset_id = :last", {"cost": "cost + 1"}, {7}),
    "a deposit's cost forgotten": ("external_transfers", "asset_id = 1", {}, {3}),
    "a deposit of another": ("external_transfers", "asset_id = 1", {"broker_id": "broker_id + 1"}, {3}),
    "a deposit forgotten": ("transfers", "kind = 'deposit' AND asset_id = 1", {}, {1, 3}),
    "fee of a fill": ("account_events", "fee > 0", {"fee": "fee + 1"}, {4}),
    "a fee that nobody bore": ("account_events", "fee > 0", {"fee": "NULL"}, {4}),
    "fee that was paid": ("transfers", "kind = 'fee' AND from_bucket = 'available'", {"amount": "amount + 1"}, {3, 4}),
    "a fee not paid": ("transfers", "kind = 'fee' AND from_bucket = 'reserved'", {}, {2, 3, 4}),
    "a fee for somebody": ("transfers", "kind = 'fee'", {"to_broker": "1"}, {3}),
    "rate of an order": (
        "orders", "maker_bps IS NOT NULL AND status = 'filled'", {"taker_bps": "taker_bps + 1"}, {4},
    ),
    "what an order traded as a maker": (
        "orders", "maker_notional > 0 AND status = 'filled'", {"maker_notional": "maker_notional - 1"}, {4},
    ),
    "a trade as of an auction": ("trades", "stock_id = :last", {"is_auction": "true"}, {7}),
    "a release of another kind": ("transfers", "kind = 'release'", {"kind": "'withdrawal'"}, {3}),
    "a reservation of another order": (
        "transfers",
        "kind = 'reserve' AND asset_id = 1 AND EXISTS "
        "(SELECT FROM orders o WHERE o.id = order_id + 1 AND o.broker_id <> from_broker)",
        {"order_id": "order_id + 1"}, {2, 3},
    ),
    "price of a trade": ("trades", "stock_id = :last", {"price": "price + 1"}, {4, 6, 7}),
    "quantity of a trade": ("trades", "stock_id = :last", {"quantity": "quantity - 1"}, {4, 6, 7}),
    "buyer of a trade": ("trades", "stock_id = :last", {"buyer_id": "seller_id"}, {4, 6, 7}),
    "order of a trade": ("trades", "stock_id = :last", {"buy_order_id": "buy_order_id + 1"}, {4, 6, 7}),
    "aggressor of a trade": (
        "trades", "stock_id = :last AND aggressor_side = 'bid'", {"aggressor_side": "'ask'"}, {4, 6, 7},
    ),
    "time of a trade": (
        "trades", "stock_id = :last", {"executed_at": "executed_at + interval '1 microsecond'"}, {4, 6, 7},
    ),
    "command of a trade": (
        "trades", "stock_id = :last AND command_sequence = 2", {"command_sequence": "3"}, {4, 7},
    ),
    "sequence of a trade": ("trades", "stock_id = :last", {"sequence": "sequence + 1"}, {6}),
    "a trade is gone": ("trades", "stock_id = :last AND sequence = 1", {}, {4, 6, 7}),
    "a gap in what a broker is told": ("account_events", "sequence = 3", {"sequence": "sequence + 1000000"}, {6}),
    "an account event is gone": ("account_events", "kind = 'ORDER_OPENED' AND sequence < 5", {}, {6}),
    "a fill told to another": (
        "account_events", f"trade_id IS NOT NULL AND order_id IN ({NEIGHBOURS})", {"order_id": "order_id + 1"}, {6},
    ),
    "a fill that never was": (
        "account_events", "kind = 'ORDER_OPENED'", {"kind": "'ORDER_FILLED'", "trade_id": "1000000"}, {6},
    ),
    "a gap in what a receiver is told": ("webhook_deliveries", "sequence = 2", {"sequence": "sequence + 100"}, {6}),
    "a delivery is gone": ("webhook_deliveries", "sequence = 2", {}, {6}),
    "a delivery of what is no fill": ("webhook_deliveries", "true", {"account_sequence": "1000000"}, {6}),
    "a delivery of another fill": (
        "webhook_deliveries", "sequence = 2", {"account_sequence": "account_sequence - 1"}, {6},
    ),
    "number of the last delivery": (
        "account_counters", "webhook_sequence > 0", {"webhook_sequence": "webhook_sequence + 1"}, {6},
    ),
    "number of the last account event": ("account_counters", "true", {"sequence": "sequence + 1"}, {6}),
    "an account counter is gone": ("account_counters", "true", {}, {6}),
    "a gap in the journal": ("commands", f"{JOURNAL} AND sequence = 8", {"sequence": "800"}, {5, 6, 7}),
    "a repeat in the journal": ("commands", f"{JOURNAL} AND sequence = 8", {"sequence": "7"}, {5, 6}),
    "a command is gone": ("commands", f"{JOURNAL} AND kind = 'cancel'", {}, {6, 7}),
    "time goes backward": (
        "commands", f"{JOURNAL} AND sequence = 8", {"sequenced_at": "sequenced_at - interval '1 hour'"}, {6, 7},
    ),
    "a price in the journal": (
        "commands", f"{JOURNAL} AND kind = 'amend'", {"payload": """'{"price": 3391, "quantity": 20}'"""}, {5, 7},
    ),
    "a refusal invented": ("commands", f"{JOURNAL} AND kind = 'cancel'", {"refused": "'unknown_order'"}, {7}),
    "set aside for an amendment": ("commands", "reserved > 0 AND sequence IS NULL", {"reserved": "reserved + 1"}, {2}),
    "a cancel of no order": ("commands", f"{JOURNAL} AND kind = 'cancel'", {"order_id": "1000000000000"}, {6, 7}),
    "a new order of no order": (
        "commands", f"{JOURNAL} AND kind = 'new' AND order_id IN (SELECT id FROM orders WHERE {OPEN} AND side = 'ask' "
        "AND filled_quantity > 0)", {"order_id": "1000000000000"}, {4, 5, 6, 7},
    ),
    "a command of another broker": ("commands", f"{JOURNAL} AND kind = 'cancel'", {"broker_id": "broker_id + 1"}, {6}),
    "an order of no stock": ("orders", OPEN, {"stock_id": "1000000000000"}, {2, 3, 4, 5, 6, 7}),
    "an order of no broker": ("orders", OPEN, {"broker_id": "1000000000000"}, {2, 3, 4, 6}),
    "a command of no stock": ("commands", "sequence IS NULL", {"stock_id": "1000000000000"}, {6}),
    "an event of no stock": ("events", "stock_id = :last AND sequence = 1", {"stock_id": "1000000000000"}, {6}),
    "a trade of no order": ("trades", "stock_id = :last", {"sell_order_id": "1000000000000"}, {4, 6, 7}),
    "a trade of no buyer": ("trades", "stock_id = :last", {"buyer_id": "1000000000000"}, {4, 6, 7}),
    "a transfer of no order": ("transfers", "kind = 'release'", {"order_id": "1000000000000"}, {2, 3}),
    "a transfer of no trade": ("transfers", TRADED, {"trade_id": "1000000000000"}, {4}),
    "a transfer of no asset": ("transfers", "kind = 'deposit'", {"asset_id": "1000000000000"}, {1, 3}),
    "a transfer from no broker": (
        "transfers", "kind = 'release'",
        {"from_broker": "1000000000000", "to_broker": "1000000000000"}, {3},
    ),
    "an event is gone": ("events", "stock_id = :last AND sequence = 1", {}, {6}),
    "sequence of an event": ("events", "stock_id = :last AND sequence = 2", {"sequence": "9"}, {6}),
    "price of an event": (
        "events", "stock_id = :last", {"payload": "(payload::jsonb || '{\"price\": 1}')::json"}, {6},
    ),
    "remaining of an open order": (
        "orders", f"{OPEN} AND side = 'bid'", {"remaining_quantity": "remaining_quantity - 1"}, {2, 4, 5, 7},
    ),
    "price of an open order": ("orders", f"{OPEN} AND price = 3390 AND quantity = 10", {"price": "3391"}, {2, 5, 7}),
    "quantity of an open order": (
        "orders", OPEN, {"quantity": "quantity + 1", "cancelled_quantity": "cancelled_quantity + 1"}, {5, 7},
    ),
    "crossed book": ("orders", f"{OPEN} AND price = 3390 AND quantity = 10", {"price": "3500"}, {2, 5, 7}),
    "an order jumps the queue": ("orders", f"{OPEN} AND price = 3390 AND quantity = 20", {"priority": "0"}, {5, 7}),
    "since when an order has its place": ("orders", OPEN, {"entered_at": "entered_at + interval '1 second'"}, {7}),
    "last price of a kept book": ("book_checkpoints", "stock_id = :last", {"last_price": "last_price + 1"}, {7}),
    "count of a kept book": ("book_checkpoints", "stock_id = :last", {"order_count": "order_count + 1"}, {7}),
    "an order of a kept book": (
        "book_checkpoints", "stock_id = :last", {"orders": "replace(orders, '3380', '3381')"}, {7},
    ),
    "a kept book that cannot be read": (
        "book_checkpoints", "stock_id = :last", {"orders": "replace(orders, 'limit', 'market')"}, {7},
    ),
    "two orders in one place": (
        "orders", f"{OPEN} AND price = 3390 AND quantity = 10", {"priority": "priority - 1"}, {5},
    ),
    "an order without a place": ("orders", f"{OPEN} AND price = 3390", {"priority": "NULL"}, {5, 7}),
    "an expired order rests": (
        "orders", f"{OPEN} AND price = 3390",
        {"valid_until": "timestamptz '2020-01-01Z'", "time_in_force": "'gtd'"}, {5, 7},
    ),
    "an order closes by itself": (
        "orders", f"{OPEN} AND price = 3390 AND quantity = 10",
        {"status": "'cancelled'", "closed_at": "now()", "cancelled_quantity": "10", "remaining_quantity": "0"}, {2, 7},
    ),
    "filled more than traded": (
        "orders", FILLED, {"quantity": "quantity + 1", "filled_quantity": "filled_quantity + 1"}, {4, 7},
    ),
    "status of an order": ("orders", f"{OPEN} AND filled_quantity = 0", {"status": "'partially_filled'"}, {4, 7}),
    "notional of fills": ("orders", FILLED, {"filled_notional": "filled_notional - 1"}, {4, 7}),
    "cancelled called expired": (
        "orders", "stock_id = :last AND status = 'cancelled'", {"status": "'expired'"}, {4, 7},
    ),
    "sequence of an order": ("orders", FILLED, {"sequence": "sequence + 100"}, {6}),
    "side of an order": ("orders", FILLED, {"side": "'buy'"}, {3, 4}),
    "type of an order": ("orders", FILLED, {"order_type": "'iceberg'"}, {4}),
    "time in force of an order": ("orders", FILLED, {"time_in_force": "'gtx'"}, {4}),
    "a limit order without a limit": ("orders", FILLED, {"price": "NULL"}, {4}),
    "a limit of nothing": ("orders", FILLED, {"price": "0"}, {4}),
    "a stop price of nothing": ("orders", FILLED, {"stop_price": "0"}, {4}),
    "a stop price without a stop": ("orders", FILLED, {"stop_price": "3500"}, {4}),
    "a limit order that waits as a stop": (
        "orders", f"{OPEN} AND price = 3390", {"status": "'untriggered'"}, {4, 5, 7},
    ),
    "an order of nothing": (
        "orders", FILLED, {"quantity": "0", "filled_quantity": "0", "status": "'cancelled'"}, {4, 7},
    ),
    "an iceberg that shows nothing": ("orders", FILLED, {"display_quantity": "0"}, {4}),
    "less than nothing shown": ("orders", FILLED, {"shown_quantity": "-1"}, {4}),
    "more prevented than cancelled": ("orders", FILLED, {"prevented_quantity": "1"}, {4}),
    "an unknown status": ("orders", FILLED, {"status": "'busy'"}, {4, 7}),
    "an order closed while it waits": ("orders", FILLED, {"closed_at": "NULL"}, {2, 4, 5, 7}),
    "side of an aggressor": (
        "trades", "stock_id = :last AND aggressor_side = 'ask'", {"aggressor_side": "'x'"}, {4, 6, 7},
    ),
    "kind of a command": ("commands", "sequence IS NULL AND kind = 'new'", {"kind": "'buy'"}, {6}),
    "a cancel that names no order": ("commands", f"{JOURNAL} AND kind = 'cancel'", {"order_id": "NULL"}, {6, 7}),
    "a time before the sequence": ("commands", "sequence IS NULL AND kind = 'new'", {"sequenced_at": "now()"}, {6}),
    "less than nothing set aside": ("commands", f"{JOURNAL} AND kind = 'new'", {"reserved": "-1"}, {6}),
    "a fill without a trade": ("account_events", "kind = 'ORDER_OPENED'", {"kind": "'ORDER_FILLED'"}, {6}),
    "a transfer to nowhere": ("transfers", "kind = 'release'", {"to_bucket": "'nowhere'"}, {3}),
    "counter of commands": ("stocks", "id = :last", {"command_sequence": "command_sequence - 1"}, {6}),
    "counter of events": ("stocks", "id = :last", {"event_sequence": "event_sequence + 1"}, {6}),
    "last price": ("stocks", "id = :last", {"last_price": "3600"}, {6, 7}),
    "reference price": ("stocks", "id = :last", {"reference_price": "3600"}, {7}),
    "reference of a trade": ("trades", "stock_id = :last", {"reference_price": "3000"}, {4, 7}),
    "state of the stock": ("stocks", "id = :last", {"state": "'halted'"}, {7}),
    "best bid": ("stocks", "id = :last", {"best_bid": "NULL"}, {5, 7}),
    "tick of the stock": ("stocks", "id = :last", {"tick_size": "7"}, {4, 7}),
    "band of the stock": ("stocks", "id = :last", {"band_bps": "10"}, {4, 7}),
}  # fmt: skip
"""What is done: table, which row, which change (none: the row is deleted), and the invariants that it breaks."""

NAMED_ELSEWHERE = {
    "a bust forgotten": "trades",
    "command of a bust": "busts",
    "a busted trade stands": "busts",
    "price at which a trade stands": "busts",
    "what a bust gave back": "trades",
    "what a bust gave to another": "trades",
    "fee that a bust returned": "trades",
    "a bust that a party was not told of": "busts",
    "fee that was paid": "account_events",
    "cost of a deposit": "balances",
    "amount of a payment": "trades",
    "payment to another": "trades",
    "payment without its trade": "trades",
    "a price in the journal": "orders",
    "set aside for an amendment": "orders",
    "tick of the stock": "trades",
    "band of the stock": "trades",
    "an improvement is gone": "trades",
    "a deposit forgotten": "balances",
    "a trade is gone": "transfers",
    "a command is gone": "commands",
    "an event is gone": "events",
    "a transfer of no asset": "balances",
    "a transfer of no trade": "trades",
}
"""Changes that show in another row than the one that was changed, by the table of that row."""

SAID = {
    "shares vanish": "held by all accounts is",
    "net of trades": "net of all trades is",
    "payment to another": "payee is",
    "a trade is gone": "should be one that exists",
    "sequence of a trade": "sequence is 2, should be more than 2",
    "an event is gone": "sequence=2: sequence is 2, should be 1",
    "sequence of an event": "event 2 is nothing",
    "price of an event": "price is 1, should be 3500",
    "crossed book": "should be below the best ask of 3500",
    "two orders in one place": "should be its own, not that of order",
    "cancelled called expired": "should be ('cancelled', 0, 0, 20)",
}
"""Words that must be among the findings, where one change breaks several rules and each of them is to speak."""


def without_constraints(engine):
    """Drop what the database itself would refuse a tampered row by."""
    with engine.begin() as connection:
        constraints = connection.execute(
            text("""
                SELECT CAST(conrelid AS regclass) AS place, conname FROM pg_constraint
                WHERE contype = 'c' AND connamespace = CAST('public' AS regnamespace)
            """)
        ).all()
        for place, name in constraints:
            connection.exec_driver_sql(f"ALTER TABLE {place} DROP CONSTRAINT {name}")
        for name in ("uq_trades_stock_id_sequence", "uq_commands_stock_id_sequence"):
            connection.exec_driver_sql(f"DROP INDEX {name}")


@contextlib.contextmanager
def tampered(floor, table, where, change):
    """One row with `change` (column: SQL), or without the row where there is no change; afterwards all is as before.

    Yields the changed row.
    """
    with floor.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        row = connection.execute(
            text(f"SELECT ctid, row_to_json({table}) AS row FROM {table} WHERE {where} ORDER BY {table}::text LIMIT 1"),
            {"last": floor.last},
        ).one()
        if change:
            setters = ", ".join(f"{column} = {value}" for column, value in change.items())
            after = connection.execute(
                text(f"UPDATE {table} SET {setters} WHERE ctid = :ctid RETURNING ctid, row_to_json({table}) AS row"),
                {"ctid": row.ctid},
            ).one()
        else:
            connection.execute(text(f"DELETE FROM {table} WHERE ctid = :ctid"), {"ctid": row.ctid})
    try:
        yield after.row if change else row.row
    finally:
        with floor.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            if change:
                connection.execute(text(f"DELETE FROM {table} WHERE ctid = :ctid"), {"ctid": after.ctid})
            connection.execute(
                text(f"INSERT INTO {table} SELECT * FROM json_populate_record(NULL::{table}, CAST(:row AS json))"),
                {"row": json.dumps(row.row)},
            )
