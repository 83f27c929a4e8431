"""Store a turn's outcome: a handful of set-based statements, never one for each fill.

Locks are taken in one order everywhere: stocks, then orders by id, then commands, then balances by (broker, asset).
Commands come after orders because a request to amend locks the order and then waits for whoever holds its last
amendment.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from services.accounts import lock_accounts
from services.instants import moment
from services.ledger import Ledger, broker_of, order_id_of
from services.outcome import Execution, Outcome
from services.positions import average_cost

TAKE_COMMANDS = text("""
    UPDATE commands c SET sequence = t.sequence, sequenced_at = t.sequenced_at, refused = t.refused, error = t.error
    FROM unnest(CAST(:id AS bigint[]), CAST(:sequence AS bigint[]), CAST(:sequenced_at AS timestamptz[]),
        CAST(:refused AS text[]), CAST(:error AS text[])) AS t (id, sequence, sequenced_at, refused, error)
    WHERE c.id = t.id
""")

LOCK_ORDERS = text("SELECT id FROM orders WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")

UPDATE_ORDERS = text("""
    UPDATE orders o SET status = t.status, price = CASE WHEN o.order_type = 'limit' THEN t.price END,
        quantity = t.quantity, filled_quantity = t.filled, remaining_quantity = t.remaining,
        cancelled_quantity = t.cancelled, filled_notional = t.notional, valid_until = t.valid_until,
        time_in_force = CASE WHEN o.time_in_force NOT IN ('gtc', 'gtd') THEN o.time_in_force
            WHEN t.valid_until IS NULL THEN 'gtc' ELSE 'gtd' END,
        sequence = coalesce(t.sequence, o.sequence), priority = t.priority, reject_code = t.reject_code,
        updated_at = clock_timestamp(), closed_at = CASE WHEN t.remaining = 0 THEN clock_timestamp() END
    FROM unnest(CAST(:id AS bigint[]), CAST(:status AS text[]), CAST(:price AS bigint[]),
        CAST(:quantity AS bigint[]), CAST(:filled AS bigint[]), CAST(:remaining AS bigint[]),
        CAST(:cancelled AS bigint[]), CAST(:notional AS bigint[]), CAST(:valid_until AS timestamptz[]),
        CAST(:sequence AS bigint[]), CAST(:priority AS bigint[]), CAST(:reject_code AS text[]))
        AS t (id, status, price, quantity, filled, remaining, cancelled, notional, valid_until, sequence, priority,
            reject_code)
    WHERE o.id = t.id
    RETURNING o.id, o.client_order_id, o.order_type, o.time_in_force, o.document_number, o.price, o.valid_until,
        o.created_at, o.sequence
""")

TRADE_IDS = text("SELECT nextval('trades_id_seq') AS id FROM generate_series(1, :n)")

INSERT_TRADES = text("""
    INSERT INTO trades (id, stock_id, sequence, command_sequence, price, quantity, aggressor_side, buy_order_id,
        sell_order_id, buyer_id, seller_id, executed_at)
    SELECT * FROM unnest(CAST(:id AS bigint[]), CAST(:stock_id AS bigint[]), CAST(:sequence AS bigint[]),
        CAST(:command_sequence AS bigint[]), CAST(:price AS bigint[]), CAST(:quantity AS bigint[]),
        CAST(:aggressor_side AS text[]), CAST(:buy_order_id AS bigint[]), CAST(:sell_order_id AS bigint[]),
        CAST(:buyer_id AS bigint[]), CAST(:seller_id AS bigint[]), CAST(:executed_at AS timestamptz[]))
""")

INSERT_TRANSFERS = text("""
    INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id, trade_id)
    SELECT * FROM unnest(CAST(:kind AS text[]), CAST(:asset_id AS bigint[]), CAST(:amount AS bigint[]),
        CAST(:from_broker AS bigint[]), CAST(:from_bucket AS text[]), CAST(:to_broker AS bigint[]),
        CAST(:to_bucket AS text[]), CAST(:order_id AS bigint[]), CAST(:trade_id AS bigint[]))
""")

OPEN_BALANCES = text("""
    INSERT INTO balances (broker_id, asset_id, credit_limit)
    SELECT t.broker_id, t.asset_id, CASE t.asset_id WHEN 1 THEN 0 ELSE b.short_limit END
    FROM unnest(CAST(:broker_id AS bigint[]), CAST(:asset_id AS bigint[])) AS t (broker_id, asset_id)
    JOIN brokers b ON b.id = t.broker_id
    WHERE NOT EXISTS (SELECT FROM balances o WHERE o.broker_id = t.broker_id AND o.asset_id = t.asset_id)
    ORDER BY 1, 2 ON CONFLICT DO NOTHING
""")
"""What a broker gets for the first time. Opened before any balance is locked: one that appeared between two locking
statements would be locked out of order."""

UPDATE_BALANCES = text("""
    UPDATE balances b SET available = b.available + t.available, reserved = b.reserved + t.reserved,
        traded = b.traded + t.traded, cost = t.cost, realised_pnl = t.realised_pnl
    FROM unnest(CAST(:broker_id AS bigint[]), CAST(:asset_id AS bigint[]), CAST(:available AS bigint[]),
        CAST(:reserved AS bigint[]), CAST(:traded AS bigint[]), CAST(:cost AS bigint[]),
        CAST(:realised_pnl AS bigint[]))
        AS t (broker_id, asset_id, available, reserved, traded, cost, realised_pnl)
    WHERE b.broker_id = t.broker_id AND b.asset_id = t.asset_id
    RETURNING b.broker_id, b.asset_id, b.available, b.reserved
""")

INSERT_EVENTS = text("""
    INSERT INTO events (stock_id, sequence, kind, payload)
    SELECT stock_id, sequence, kind, CAST(payload AS json)
    FROM unnest(CAST(:stock_id AS bigint[]), CAST(:sequence AS bigint[]), CAST(:kind AS text[]),
        CAST(:payload AS text[])) AS t (stock_id, sequence, kind, payload)
""")

UPDATE_STOCKS = text("""
    UPDATE stocks s SET book_version = s.book_version + 1, command_sequence = t.command_sequence,
        event_sequence = t.event_sequence, sequenced_at = t.sequenced_at, reference_price = t.reference_price,
        last_price = t.last_price, best_bid = t.best_bid, best_ask = t.best_ask
    FROM unnest(CAST(:id AS bigint[]), CAST(:command_sequence AS bigint[]), CAST(:event_sequence AS bigint[]),
        CAST(:sequenced_at AS timestamptz[]), CAST(:reference_price AS bigint[]), CAST(:last_price AS bigint[]),
        CAST(:best_bid AS bigint[]), CAST(:best_ask AS bigint[]))
        AS t (id, command_sequence, event_sequence, sequenced_at, reference_price, last_price, best_bid, best_ask)
    WHERE s.id = t.id
""")


def store_commands(session: Session, outcome: Outcome) -> None:
    """Give each command its sequence: from here on the journal says what happened."""
    _run(session, TAKE_COMMANDS, outcome.commands, ("id", "sequence", "sequenced_at", "refused", "error"))


def store_orders(session: Session, outcome: Outcome) -> dict[int, Row[Any]]:
    """Update every order that the turn touched; their rows' lasting properties by id."""
    rows = []
    for order_id, touched in sorted(outcome.touched.items()):
        order = touched.order
        rejected = touched.status == "rejected"
        rows.append(
            {
                "id": order_id,
                "status": touched.status,
                "price": order.price,
                "quantity": order.quantity,
                "filled": order.filled,
                "remaining": 0 if rejected else order.remaining,
                "cancelled": order.quantity if rejected else order.cancelled,
                "notional": order.filled_value,
                "valid_until": None if order.expire_at is None else moment(order.expire_at),
                "sequence": touched.sequence,
                "priority": order.priority or None,
                "reject_code": touched.reject_code,
            }
        )
    if not rows:
        return {}
    session.execute(LOCK_ORDERS, {"ids": [row["id"] for row in rows]})
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {row.id: row for row in session.execute(UPDATE_ORDERS, columns)}


def store_trades(session: Session, executions: Sequence[Execution]) -> list[int]:
    """Insert the turn's trades; their ids in the same order."""
    if not executions:
        return []
    ids = list(session.scalars(TRADE_IDS, {"n": len(executions)}))
    names = (
        "stock_id", "sequence", "command_sequence", "price", "quantity", "aggressor_side", "executed_at",
    )  # fmt: skip
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in executions] for name in names}
    columns["id"] = ids
    columns["buy_order_id"] = [order_id_of(one.bid) for one in executions]
    columns["sell_order_id"] = [order_id_of(one.ask) for one in executions]
    columns["buyer_id"] = [broker_of(one.bid) for one in executions]
    columns["seller_id"] = [broker_of(one.ask) for one in executions]
    session.execute(INSERT_TRADES, columns)
    return ids


def store_ledger(session: Session, ledger: Ledger, trade_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Insert the transfers and change the balances by them; the changed balances."""
    if not ledger.movements:
        return []
    names = ("kind", "asset_id", "amount", "from_broker", "from_bucket", "to_broker", "to_bucket", "order_id")
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in ledger.movements] for name in names}
    columns["trade_id"] = [None if one.trade_index is None else trade_ids[one.trade_index] for one in ledger.movements]
    session.execute(INSERT_TRANSFERS, columns)
    return _change_balances(session, ledger)


def store_events(session: Session, events: Sequence[dict[str, Any]]) -> None:
    """Append to the public tapes; each event has `stock_id`, `sequence`, `kind` and a `payload` to be JSON."""
    if events:
        columns = {name: [event[name] for event in events] for name in ("stock_id", "sequence", "kind")}
        columns["payload"] = [orjson.dumps(event["payload"]).decode() for event in events]
        session.execute(INSERT_EVENTS, columns)


def store_stocks(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Advance each stock's counters, prices and book version."""
    session.execute(UPDATE_STOCKS, {name: [row[name] for row in rows] for name in rows[0]})


def _change_balances(session: Session, ledger: Ledger) -> Sequence[Row[Any]]:
    if any(change.trades for change in ledger.changes.values()):
        keys = {
            "broker_id": [broker for broker, _ in ledger.changes],
            "asset_id": [asset for _, asset in ledger.changes],
        }
        session.execute(OPEN_BALANCES, keys)
    held = lock_accounts(session, ledger.changes)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("broker_id", "asset_id", "available", "reserved", "traded", "cost", "realised_pnl")
    }
    for row in held:
        change = ledger.changes[row.broker_id, row.asset_id]
        cost, realised = average_cost(row.available + row.reserved, row.cost, row.realised_pnl, change.trades)
        values = (row.broker_id, row.asset_id, change.available, change.reserved, change.traded, cost, realised)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    return session.execute(UPDATE_BALANCES, columns).all()


def _run(session: Session, statement: TextClause, rows: Sequence[Any], names: Sequence[str]) -> None:
    session.execute(statement, {name: [getattr(row, name) for row in rows] for name in names})
