"""What a debtor may not do, and which of its orders go, until it owes nothing any more.

Its orders that reserve what it owes are cancelled newest first until enough is free; each by a cancel of its own in its
stock's inbox. What is freed repays by itself. Until all is repaid the broker is `close_only`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import text

from database.statements import Statements
from engine.terms.codes import SHORTFALL
from models import CASH
from services.order_entry.order_needs import reserved_for

RESERVING: Final = text(f"""
    SELECT o.id, o.broker_id, o.stock_id, s.symbol, s.group_name, o.side, o.price, o.protection_price, o.quantity,
        o.remaining_quantity, o.filled_notional, o.maker_notional, o.maker_bps, o.taker_bps, o.created_at,
        EXISTS (
            SELECT FROM commands c
            WHERE c.stock_id = s.id AND c.sequence IS NULL AND c.kind = 'cancel' AND c.order_id = o.id
        ) AS leaves
    FROM stocks s CROSS JOIN LATERAL (
        SELECT * FROM orders
        WHERE stock_id = s.id AND broker_id = :broker_id AND closed_at IS NULL
            AND side = CASE :asset_id WHEN {CASH} THEN 'bid' ELSE 'ask' END
    ) o
    WHERE :asset_id IN ({CASH}, s.id) ORDER BY o.id DESC
""")  # noqa: S608 - a number of ours
"""The open orders that reserve an asset, newest first; `leaves`: somebody has asked for its cancel."""


PAYLOAD: Final = orjson.dumps({"reason": SHORTFALL}).decode()
"""Of such a cancel's command."""

CANCEL: Final = text("""
    INSERT INTO commands (stock_id, kind, order_id, broker_id, payload)
    SELECT t.stock_id, 'cancel', t.order_id, t.broker_id, CAST(:payload AS json)
    FROM unnest(CAST(:stocks AS bigint[]), CAST(:orders AS bigint[]), CAST(:brokers AS bigint[]))
        AS t (stock_id, order_id, broker_id)
""")


@dataclass(frozen=True, slots=True)
class OrderToCancel:
    """An open order of a debtor that goes: it frees so many cents, or shares."""

    order: Any
    frees: int


def orders_to_cancel(session: Statements, broker_id: int, asset_id: int, owed: int) -> list[OrderToCancel]:
    """The broker's newest orders that reserve `asset_id`, until `owed` (cents or shares) of it is free.

    Those of which a cancel waits already count, and are not among them.
    """
    orders = list(session.execute(RESERVING, {"broker_id": broker_id, "asset_id": asset_id}))
    missing = owed - sum(reserved_for(order) for order in orders if order.leaves)
    found = []
    for order in orders:
        if missing <= 0:
            break
        if not order.leaves:
            frees = reserved_for(order)
            found.append(OrderToCancel(order, frees))
            missing -= frees
    return found


def ask_for_cancels(session: Statements, cancels: Iterable[OrderToCancel]) -> None:
    """Put a cancel of each into the inbox of its stock."""
    orders = [cancel.order for cancel in cancels]
    values = {
        "stocks": [order.stock_id for order in orders],
        "orders": [order.id for order in orders],
        "brokers": [order.broker_id for order in orders],
    }
    session.execute(CANCEL, {**values, "payload": PAYLOAD})


def stocks_of(cancels: Iterable[OrderToCancel]) -> list[tuple[str, str]]:
    """The stocks (symbol, group) whose inboxes have something then."""
    return list(dict.fromkeys((each.order.symbol, each.order.group_name) for each in cancels))
