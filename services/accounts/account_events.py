"""What a broker was told of its own orders, read back: the same events, by the numbers that they have.

The events' rows hold what changed, and the payload is made of them and of the order as it was placed. What an amendment
of a waiting stop, or of a time, has changed since is told as it is now: `stop_price` and `valid_until`.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from engine.terms.codes import SELF_TRADE_PREVENTION
from engine.terms.order_types import LIMITED
from services.accounts.bust_events import read_bust_events
from services.accounts.read_fills import liquidity_of
from services.prices import average_price
from services.timestamps import timestamp

EVENTS: Final = text("""
    SELECT e.*, o.client_order_id, s.symbol, o.side, o.order_type, o.time_in_force, o.stop_price,
        o.valid_until, o.created_at, o.sequence AS order_sequence, t.price AS last_price, t.quantity AS last_quantity,
        t.aggressor_side, t.is_auction
    FROM account_events e JOIN orders o ON o.id = e.order_id JOIN stocks s ON s.id = o.stock_id
    LEFT JOIN trades t ON t.id = e.trade_id
    WHERE e.broker_id = :broker_id AND e.sequence > :after ORDER BY e.sequence LIMIT :limit
""")

LAST: Final = text("SELECT broker_id, sequence FROM account_counters WHERE broker_id = ANY(:broker_ids)")


def last_account_events(session: Statements, broker_ids: Collection[int]) -> dict[int, int]:
    """The number of the last event of each of these brokers; 0 for one that was told nothing yet."""
    found = {row.broker_id: row.sequence for row in session.execute(LAST, {"broker_ids": list(broker_ids)})}
    return {broker_id: found.get(broker_id, 0) for broker_id in broker_ids}


def read_account_events(session: Statements, broker_id: int, after: int, limit: int) -> Iterator[dict[str, Any]]:
    """At most `limit` events of the broker behind the number `after`, oldest first.

    Each is {account_sequence, event, at, payload}, with the payload that its streams were sent.
    """
    rows = list(session.execute(EVENTS, {"broker_id": broker_id, "after": after, "limit": limit}))
    busts = read_bust_events(session, broker_id, [row.sequence for row in rows if row.bust_id is not None])
    for row in rows:
        at = timestamp(row.happened_at)
        payload = _payload(row, at) if row.bust_id is None else busts[row.sequence]
        yield {"account_sequence": row.sequence, "event": row.kind, "at": at, "payload": payload}


def _payload(row: Any, at: str) -> dict[str, Any]:
    payload = {
        "account_sequence": row.sequence,
        "order_id": row.order_id,
        "client_order_id": row.client_order_id,
        "symbol": row.symbol,
        "side": row.side,
        "order_type": row.order_type,
        "time_in_force": row.time_in_force,
        "status": row.status,
        "price": row.price if row.order_type in LIMITED else None,
        "stop_price": row.stop_price,
        "quantity": row.quantity,
        "filled_quantity": row.filled_quantity,
        "remaining_quantity": row.remaining_quantity,
        "average_price": average_price(row.filled_notional, row.filled_quantity),
        "valid_until": timestamp(row.valid_until),
        "created_at": timestamp(row.created_at),
        "sequence": row.order_sequence,
        "trade_id": row.trade_id,
        "executed_at": at,
    }
    return payload | (_change(row) if row.trade_id is None else _fill(row, payload))


def _fill(row: Any, payload: dict[str, Any]) -> dict[str, Any]:
    """What a fill says of itself: its own price and shares, and the order's under other names."""
    return {
        "order_price": payload["price"],
        "order_quantity": payload["quantity"],
        "price": row.last_price,
        "quantity": row.last_quantity,
        "last_price": row.last_price,
        "last_quantity": row.last_quantity,
        "liquidity": liquidity_of(row),
        "fee": row.fee or 0,
    }


def _change(row: Any) -> dict[str, Any]:
    """What an event other than a fill has changed."""
    match row.kind:
        case "ORDER_CANCELLED":
            prevented = row.reason == SELF_TRADE_PREVENTION
            return {
                "prevented_quantity" if prevented else "cancelled_quantity": row.event_quantity,
                "reason": row.reason,
            }
        case "ORDER_EXPIRED":
            return {"expired_quantity": row.event_quantity}
        case "ORDER_REJECTED":
            return {"code": row.reason}
        case "ORDER_AMENDED":
            return {"kept_priority": row.reason == "kept_priority"}
    return {}
