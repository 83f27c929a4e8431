"""A broker's own fills: the newest first, or what came after a number that it knows."""

from typing import Any

from sqlalchemy import Row, text

from database.statements import Statements
from services.settlement.fees import AUCTION, MAKER, TAKER
from services.timestamps import timestamp

FILLS = """
    SELECT e.sequence, t.id, s.symbol, o.side, e.order_id, o.client_order_id, t.price, t.quantity, t.aggressor_side,
        t.is_auction, e.fee, t.executed_at, t.busted_at IS NOT NULL AS busted
    FROM account_events e JOIN trades t ON t.id = e.trade_id JOIN orders o ON o.id = e.order_id
    JOIN stocks s ON s.id = t.stock_id
    WHERE e.broker_id = :broker_id AND e.trade_id IS NOT NULL AND {}
    LIMIT :limit
"""
"""A broker can be on both sides of a trade: then it has two fills."""

BEFORE = "e.sequence < :position ORDER BY e.sequence DESC"
AFTER = "e.sequence > :position ORDER BY e.sequence"
OF_ORDER = "e.order_id = :order_id AND "
STATEMENTS = {
    (newest_first, of_order): text(FILLS.format((OF_ORDER if of_order else "") + (BEFORE if newest_first else AFTER)))
    for newest_first in (True, False)
    for of_order in (True, False)
}


def read_fills(
    session: Statements, broker_id: int, before: int, limit: int, order_id: int | None = None
) -> list[dict[str, Any]]:
    """At most `limit` of the broker's fills with an account_sequence below `before`, newest first.

    With `order_id` only those of that order; none where it is not the broker's.
    """
    return _read(session, broker_id, before, limit, order_id, newest_first=True)


def read_fills_after(
    session: Statements, broker_id: int, after: int, limit: int, order_id: int | None = None
) -> list[dict[str, Any]]:
    """At most `limit` of the broker's fills with an account_sequence above `after`, oldest first; as `read_fills`."""
    return _read(session, broker_id, after, limit, order_id, newest_first=False)


def _read(
    session: Statements, broker_id: int, position: int, limit: int, order_id: int | None, *, newest_first: bool
) -> list[dict[str, Any]]:
    given = {"broker_id": broker_id, "position": position, "limit": limit}
    of_order = {} if order_id is None else {"order_id": order_id}
    rows = session.execute(STATEMENTS[newest_first, order_id is not None], {**given, **of_order})
    return [fill_document(row) for row in rows]


def liquidity_of(row: Any) -> str:
    """What an order was in its trade, by the trade's row and the order's side."""
    if row.is_auction:
        return AUCTION
    return TAKER if row.side == row.aggressor_side else MAKER


def fill_document(row: Row[Any]) -> dict[str, Any]:
    """A fill as the API shows it: price in cents, quantity in shares."""
    return {
        "account_sequence": row.sequence,
        "trade_id": row.id,
        "order_id": row.order_id,
        "client_order_id": row.client_order_id,
        "symbol": row.symbol,
        "side": row.side,
        "price": row.price,
        "quantity": row.quantity,
        "liquidity": liquidity_of(row),
        "fee": row.fee or 0,
        "executed_at": timestamp(row.executed_at),
        "busted": row.busted,
    }
