"""The one statement that reserves for orders and stores them, with their commands and transfers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from services.instants import microseconds
from services.listing import StockRules


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as asked for: prices in cents, quantity in shares. `fingerprint` identifies the wish itself."""

    broker_id: int
    stock: StockRules
    document_number: str
    side: str
    order_type: str
    time_in_force: str
    price: int | None
    quantity: int
    fingerprint: bytes
    valid_until: datetime | None = None
    self_trade_prevention: str | None = None
    client_order_id: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class FundedOrder:
    """A checked order with what it reserves: `amount` (cents or shares) of `asset_id`."""

    order: NewOrder
    protection_price: int | None
    asset_id: int
    amount: int


PLACE = text("""
    WITH wish AS (
        SELECT * FROM unnest(
            CAST(:broker_id AS bigint[]), CAST(:stock_id AS bigint[]), CAST(:document_number AS text[]),
            CAST(:side AS text[]), CAST(:order_type AS text[]), CAST(:time_in_force AS text[]),
            CAST(:price AS bigint[]), CAST(:protection_price AS bigint[]), CAST(:quantity AS bigint[]),
            CAST(:self_trade_prevention AS text[]), CAST(:valid_until AS timestamptz[]),
            CAST(:client_order_id AS text[]), CAST(:fingerprint AS bytea[]), CAST(:asset_id AS bigint[]),
            CAST(:amount AS bigint[]), CAST(:payload AS text[]), CAST(:reply_to AS text[])
        ) WITH ORDINALITY AS w (
            broker_id, stock_id, document_number, side, order_type, time_in_force, price, protection_price, quantity,
            self_trade_prevention, valid_until, client_order_id, fingerprint, asset_id, amount, payload, reply_to, n
        )
    ), known AS (
        SELECT w.n, o.id, o.status, o.fingerprint
        FROM wish w JOIN orders o ON o.broker_id = w.broker_id AND o.client_order_id = w.client_order_id
    ), fresh AS (
        SELECT w.*, nextval('orders_id_seq') AS id FROM wish w WHERE w.n NOT IN (SELECT n FROM known)
    ), need AS (
        SELECT broker_id, asset_id, sum(amount) AS amount FROM fresh GROUP BY broker_id, asset_id
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
        SELECT fresh.* FROM fresh JOIN reserved USING (broker_id, asset_id)
    ), stored AS (
        INSERT INTO orders (id, broker_id, stock_id, document_number, side, order_type, time_in_force, price,
            protection_price, quantity, remaining_quantity, self_trade_prevention, valid_until, client_order_id,
            fingerprint)
        SELECT id, broker_id, stock_id, document_number, side, order_type, time_in_force, price,
            protection_price, quantity, quantity, self_trade_prevention, valid_until, client_order_id, fingerprint
        FROM accepted
    ), inbox AS (
        INSERT INTO commands (stock_id, kind, order_id, broker_id, payload, reply_to)
        SELECT stock_id, 'new', id, broker_id, CAST(payload AS json), reply_to FROM accepted ORDER BY n
    ), ledger AS (
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id)
        SELECT 'reserve', asset_id, amount, broker_id, 'available', broker_id, 'reserved', id FROM accepted
    )
    SELECT n, id, 'pending' AS status, fingerprint, false AS known FROM accepted
    UNION ALL SELECT n, id, status, fingerprint, true FROM known
""")
"""What an account needs is summed as numeric: wishes that nobody could pay for must not pass the end of a bigint and
take the whole batch with them."""


def reserve_and_store(session: Session, orders: Sequence[FundedOrder]) -> Sequence[Row[Any]]:
    """Reserve for the orders and store them, account by account all or none.

    A row {n, id, status, fingerprint, known} for each that was stored or was known by its client_order_id, `n` being
    its place counted from 1; an account that cannot pay for all of its orders gives none.
    """
    return session.execute(PLACE, _columns(orders)).all()


def _columns(wave: Sequence[FundedOrder]) -> dict[str, list[Any]]:
    orders = [one.order for one in wave]
    columns: dict[str, list[Any]] = {
        name: [getattr(order, name) for order in orders]
        for name in (
            "broker_id", "document_number", "side", "order_type", "time_in_force", "price", "quantity",
            "self_trade_prevention", "valid_until", "client_order_id", "fingerprint", "reply_to",
        )
    }  # fmt: skip
    columns["stock_id"] = [order.stock.id for order in orders]
    columns["protection_price"] = [one.protection_price for one in wave]
    columns["asset_id"] = [one.asset_id for one in wave]
    columns["amount"] = [one.amount for one in wave]
    columns["payload"] = [_journal(one) for one in wave]
    return columns


def _journal(one: FundedOrder) -> str:
    """What the engine will be told, kept as it was: amendments change the order's row, never this."""
    order = one.order
    return orjson.dumps(
        {
            "document": order.document_number,
            "side": order.side,
            "type": order.order_type,
            "tif": order.time_in_force,
            "price": order.price if order.price is not None else one.protection_price,
            "quantity": order.quantity,
            "expire_at": microseconds(order.valid_until),
            "stp": order.self_trade_prevention,
        }
    ).decode()
