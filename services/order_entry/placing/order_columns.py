"""What `orders` keeps of what brokers ask for, and the JSON document that brings it to the statement that stores it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from engine.terms.orders import CONDITIONS
from services.order_entry.requests import FundedOrder
from services.order_entry.reserve import recording
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
"""What `orders` keeps of a usual request: each column, and its type."""

CHARGED: Final = {**STORED, "maker_bps": "bigint", "taker_bps": "bigint"}
"""And of one that is to pay fees: two columns more make storing an order a tenth more work."""

BESIDE: Final = {"asset_id": "bigint", "amount": "bigint", "payload": "json", "reply_to": "text"}
"""What else a request brings: what it reserves, what the engine will be told, and who waits for the book."""


def requested(stored: Mapping[str, str] = CHARGED) -> str:
    """A common table expression: the document's orders, `n` being their place from 1.

    One JSON document: writing and reading it costs a third of what an array for each column does.
    """
    columns = {**stored, **BESIDE}
    return f"""request AS (
        SELECT * FROM ROWS FROM (json_to_recordset(CAST(:document AS json)) AS (
            {", ".join(f"{name} {kind}" for name, kind in columns.items())}
        )) WITH ORDINALITY AS w ({", ".join(columns)}, n)
    )"""  # noqa: S608 - names of this file


def inserting_orders(source: str, stored: Mapping[str, str] = CHARGED) -> str:
    """A common table expression that stores the orders of `source` (the columns of `requested`, and `id`).

    A document leaves out what an order has not.
    """
    columns = {name: f"coalesce({name}, false)" if kind == "boolean" else name for name, kind in stored.items()}
    return f"""stored AS (
        INSERT INTO orders (id, remaining_quantity, {", ".join(columns)})
        SELECT id, quantity, {", ".join(columns.values())} FROM {source}
    )"""  # noqa: S608 - names of ours


def storing(source: str, stored: Mapping[str, str] = CHARGED) -> str:
    """The same, with a command for each in the inbox, in their order, and the transfer that reserves."""
    return f"""{inserting_orders(source, stored)}, inbox AS (
        INSERT INTO commands (stock_id, kind, order_id, broker_id, payload, reply_to)
        SELECT stock_id, 'new', id, broker_id, payload, reply_to FROM {source} ORDER BY n
    ), {recording(source, "id")}"""  # noqa: S608 - names of ours


def document_of(orders: Sequence[FundedOrder]) -> str:
    """The orders as REQUEST reads them."""
    return orjson.dumps([_row(funded) for funded in orders]).decode()


def payload_of(funded: FundedOrder) -> dict[str, Any]:
    """What the command of this order tells the engine."""
    payload: dict[str, Any] = _row(funded)["payload"]
    return payload


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
    if not order.rates.are_none:
        fees = {"maker_bps": order.rates.maker_bps, "taker_bps": order.rates.taker_bps}
        row |= fees
        row["payload"] |= fees
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
