"""The one statement that reserves for orders and stores them, with their commands and transfers."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Row, text

from database.statements import Statements
from engine.orders import CONDITIONS
from services.order_entry.requests import FundedOrder
from services.order_entry.reserve import RESERVE
from services.timestamps import microseconds

CONDITION_TYPES: Final = {int: "bigint", bool: "boolean"}
"""PostgreSQL's, for each kind of condition."""

STORED: Final = {
    "broker_id": "bigint",
    "stock_id": "bigint",
    "document_number": "text",
    "side": "text",
    "order_type": "text",
    "time_in_force": "text",
    "price": "bigint",
    "protection_price": "bigint",
    "quantity": "bigint",
    "self_trade_prevention": "text",
    "valid_until": "timestamptz",
    "client_order_id": "text",
    "fingerprint": "bytea",
    **{name: CONDITION_TYPES[kind] for name, kind in CONDITIONS.items()},
}
"""What `orders` keeps of a request: each column, and its type."""

REQUESTED: Final = {**STORED, "asset_id": "bigint", "amount": "bigint", "payload": "json", "reply_to": "text"}
"""All that a request brings: also what it reserves, what the engine will be told, and who waits for the book."""

COLUMNS: Final = {name: f"coalesce({name}, false)" if kind == "boolean" else name for name, kind in STORED.items()}
"""The same columns, and what is put into each: a document leaves out what an order has not."""

PLACE = text(f"""
    WITH request AS (
        SELECT * FROM ROWS FROM (json_to_recordset(CAST(:document AS json)) AS (
            {", ".join(f"{name} {kind}" for name, kind in REQUESTED.items())}
        )) WITH ORDINALITY AS w ({", ".join(REQUESTED)}, n)
    ), known AS (
        SELECT w.n, o.id, o.status, o.fingerprint
        FROM request w JOIN orders o ON o.broker_id = w.broker_id AND o.client_order_id = w.client_order_id
    ), fresh AS (
        SELECT w.*, nextval('orders_id_seq') AS id FROM request w WHERE w.n NOT IN (SELECT n FROM known)
    ), {RESERVE}, stored AS (
        INSERT INTO orders (id, remaining_quantity, {", ".join(COLUMNS)})
        SELECT id, quantity, {", ".join(COLUMNS.values())} FROM accepted
    ), inbox AS (
        INSERT INTO commands (stock_id, kind, order_id, broker_id, payload, reply_to)
        SELECT stock_id, 'new', id, broker_id, payload, reply_to FROM accepted ORDER BY n
    ), ledger AS (
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id)
        SELECT 'reserve', asset_id, amount, broker_id, 'available', broker_id, 'reserved', id FROM accepted
    )
    SELECT n, id, 'pending' AS status, fingerprint, false AS known FROM accepted
    UNION ALL SELECT n, id, status, fingerprint, true FROM known
""")  # noqa: S608 - both parts are ours
"""One JSON document: writing and reading it costs a third of what an array for each column does."""


def reserve_and_store(session: Statements, orders: Sequence[FundedOrder]) -> Sequence[Row[Any]]:
    """Reserve for the orders in their order, and store those that are paid for.

    A row {n, id, status, fingerprint, known} for each that was stored or was known by its client_order_id, `n` being
    its place counted from 1. No client_order_id may come twice.
    """
    document = orjson.dumps([_row(funded) for funded in orders]).decode()
    return list(session.execute(PLACE, {"document": document}))


def _row(funded: FundedOrder) -> dict[str, Any]:
    order, request = funded.order, funded.order.request
    row: dict[str, Any] = {
        "broker_id": order.broker_id,
        "stock_id": funded.stock.id,
        "document_number": request.document_number,
        "side": request.side,
        "order_type": request.order_type,
        "time_in_force": request.time_in_force,
        "price": request.price,
        "protection_price": funded.protection_price,
        "quantity": request.quantity,
        "self_trade_prevention": request.self_trade_prevention,
        "valid_until": request.valid_until,
        "client_order_id": request.client_order_id,
        "fingerprint": f"\\x{request.fingerprint.hex()}",
        "asset_id": funded.asset_id,
        "amount": funded.amount,
        "payload": _journal(funded),
        "reply_to": order.reply_to,
    }
    if conditions := {name: value for name in CONDITIONS if (value := getattr(request, name))}:
        row |= conditions
        row["payload"] |= conditions
    return row


def _journal(funded: FundedOrder) -> dict[str, Any]:
    """The payload of the order's command, as the engine will read it: amendments change the order's row, never this."""
    request = funded.order.request
    return {
        "document": request.document_number,
        "side": request.side,
        "type": request.order_type,
        "tif": request.time_in_force,
        "price": request.price if request.price is not None else funded.protection_price,
        "quantity": request.quantity,
        "expire_at": microseconds(request.valid_until),
        "stp": request.self_trade_prevention,
    }
