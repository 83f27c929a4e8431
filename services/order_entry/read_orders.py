"""A broker's orders: one, or a page of them, each with its fills as they are at one moment."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from database.statements import Statements
from engine.terms.orders import CONDITIONS
from models.order import OPEN_STATUSES
from services.errors import NotYourOrder, UnknownOrder
from services.order_entry.order_needs import reserved_for
from services.prices import STANDING_PRICE, average_price
from services.settlement.fees import fee_of_row
from services.timestamps import timestamp

FILLS = rf"""
    SELECT json_agg(json_build_object(
        'trade_id', t.id, 'account_sequence', e.sequence, 'price', {STANDING_PRICE}, 'quantity', t.quantity,
        'side', o.side,
        'liquidity', CASE WHEN t.is_auction THEN 'auction' WHEN t.aggressor_side = o.side THEN 'taker' ELSE 'maker' END,
        'fee', coalesce(e.fee, 0),
        'executed_at', to_char(t.executed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\:MI\:SS.US"Z"'),
        'busted', t.busted_at IS NOT NULL,
        'adjusted_from', CASE WHEN t.adjusted_price IS NOT NULL THEN t.price END
    ) ORDER BY e.sequence) AS trades
    FROM (
        SELECT sequence, trade_id, fee FROM account_events WHERE order_id = o.id AND trade_id IS NOT NULL
        ORDER BY sequence DESC LIMIT :fills + 1
    ) e JOIN trades t ON t.id = e.trade_id
"""  # noqa: S608 - a constant
"""Part of the order's own statement: an order never shows a fill that its quantities do not. The newest ones, and one
more where there are more."""

BUSTED = """
    SELECT CAST(sum(t.quantity) AS bigint) AS busted_quantity
    FROM account_events e JOIN trades t ON t.id = e.trade_id
    WHERE e.order_id = o.id AND e.trade_id IS NOT NULL AND t.busted_at IS NOT NULL
"""
"""How much of what was executed has been taken back."""

FILLS_OF_ONE = 100
FILLS_OF_PAGE = 5_000
LEAST_FILLS = 10
"""Fills that an order shows, fills that all orders of a page show, and how many each of them may show at least: an
answer has a megabyte at most, however often its orders were filled."""

ORDERS = f"""
    SELECT o.id, o.broker_id, o.client_order_id, o.document_number, s.symbol, o.side, o.order_type, o.time_in_force,
        o.status, o.close_reason, o.price, o.protection_price, o.quantity, o.filled_quantity, o.remaining_quantity,
        o.cancelled_quantity, o.prevented_quantity, o.filled_notional, o.maker_bps, o.taker_bps, o.maker_notional,
        o.self_trade_prevention, o.valid_until, o.created_at, o.updated_at,
        b.busted_quantity, o.sequence, o.triggered_at, {", ".join(f"o.{name}" for name in CONDITIONS)}, f.trades
    FROM orders o JOIN stocks s ON s.id = o.stock_id LEFT JOIN LATERAL ({FILLS}) f ON o.filled_quantity > 0
    LEFT JOIN LATERAL ({BUSTED}) b ON o.filled_quantity > 0
"""  # noqa: S608 - constants of this file

ONE = text(f"{ORDERS} WHERE o.id = :order_id")

BY_CLIENT_ID = text("SELECT id FROM orders WHERE broker_id = :broker_id AND client_order_id = :client_order_id")

PENDING = text("SELECT count(*) FROM orders WHERE id = ANY(:ids) AND status = 'pending'")

FILTERS = {
    "before": "o.id < :before",
    "statuses": "o.status = ANY(:statuses)",
    "symbol": "s.symbol = :symbol",
    "side": "o.side = :side",
    "since": "o.created_at >= :since",
    "until": "o.created_at < :until",
    "client_order_id": "o.client_order_id = :client_order_id",
}


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which of a broker's orders; None leaves a condition out. `before` is an order id: only older orders.

    `open` as the only status stands for every one in which an order still works.
    """

    before: int | None = None
    statuses: Sequence[str] | None = None
    symbol: str | None = None
    side: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    client_order_id: str | None = None


def read_order(session: Statements, broker_id: int, order_id: int) -> dict[str, Any]:
    """The broker's order as the API shows it. Raises UnknownOrder, NotYourOrder."""
    row = session.execute(ONE, {"order_id": order_id, "fills": FILLS_OF_ONE}).one_or_none()
    if row is None:
        raise UnknownOrder(f"There is no order {order_id}.")
    if row.broker_id != broker_id:
        raise NotYourOrder
    return order_document(row, FILLS_OF_ONE)


def still_pending(session: Statements, order_ids: Collection[int]) -> int:
    """How many of these orders wait for the book."""
    return int(session.scalar(PENDING, {"ids": list(order_ids)}))


def id_of_client_order(session: Statements, broker_id: int, client_order_id: str) -> int:
    """The id of the broker's order with this client_order_id. Raises UnknownOrder."""
    order_id = session.scalar(BY_CLIENT_ID, {"broker_id": broker_id, "client_order_id": client_order_id})
    if order_id is None:
        raise UnknownOrder(f"There is no order with the client_order_id {client_order_id}.")
    return int(order_id)


def read_orders(session: Statements, broker_id: int, wanted: OrderFilter, limit: int) -> Iterator[dict[str, Any]]:
    """At most `limit` of the broker's orders, the last to see whether there is another page; newest first.

    They are read at once, and made as they are asked for. The more they may be, the fewer fills each shows.
    """
    fills = max(LEAST_FILLS, min(FILLS_OF_ONE, FILLS_OF_PAGE // max(1, limit - 1)))
    given = {name: value for name in FILTERS if (value := getattr(wanted, name)) is not None}
    if given.get("statuses") == ["open"]:
        given["statuses"] = list(OPEN_STATUSES)
    conditions = " AND ".join(["o.broker_id = :broker_id", *(FILTERS[name] for name in given)])
    statement = text(f"{ORDERS} WHERE {conditions} ORDER BY o.id DESC LIMIT :limit")
    rows = session.execute(statement, {"broker_id": broker_id, "limit": limit, "fills": fills, **given})
    return (order_document(row, fills) for row in rows)


def order_document(row: Row[Any], fills: int) -> dict[str, Any]:
    """An order as the API shows it, with at most its newest `fills`; prices in cents, quantities in shares."""
    trades = row.trades or []
    return {
        "order_id": row.id,
        "client_order_id": row.client_order_id,
        "document_number": row.document_number,
        "symbol": row.symbol,
        "side": row.side,
        "order_type": row.order_type,
        "time_in_force": row.time_in_force,
        "status": row.status,
        "reject_code": row.close_reason if row.status == "rejected" else None,
        "reason": row.close_reason,
        "price": row.price,
        **{name: getattr(row, name) for name in CONDITIONS},
        "triggered_at": timestamp(row.triggered_at),
        "quantity": row.quantity,
        "filled_quantity": row.filled_quantity,
        "remaining_quantity": row.remaining_quantity,
        "cancelled_quantity": row.cancelled_quantity - row.prevented_quantity,
        "prevented_quantity": row.prevented_quantity,
        "busted_quantity": row.busted_quantity or 0,
        "reserved": {"asset": "cash" if row.side == "bid" else row.symbol, "amount": reserved_for(row)},
        "average_price": average_price(row.filled_notional, row.filled_quantity),
        "fee": fee_of_row(row),
        "self_trade_prevention": row.self_trade_prevention,
        "valid_until": timestamp(row.valid_until),
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
        "sequence": row.sequence,
        "trades": trades[-fills:],
        "more_trades": len(trades) > fills,
    }
