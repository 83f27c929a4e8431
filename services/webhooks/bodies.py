"""What a delivery says. It is made anew at each attempt, from what never changes, so it is always the same."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.accounts.read_fills import liquidity_of
from services.timestamps import timestamp
from services.webhooks.subscriptions import TEST

FILLS: Final = text("""
    SELECT e.sequence, e.trade_id, e.order_id, o.client_order_id, s.symbol, o.side, t.price, t.quantity,
        e.filled_quantity, e.remaining_quantity, e.fee, t.aggressor_side, t.is_auction, t.executed_at
    FROM account_events e JOIN orders o ON o.id = e.order_id JOIN stocks s ON s.id = o.stock_id
    JOIN trades t ON t.id = e.trade_id
    WHERE e.broker_id = :broker_id AND e.sequence = ANY(:sequences)
""")


def bodies_of(session: Statements, broker_id: int, deliveries: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """What each of these rows of `webhook_deliveries` of one broker says, by its id."""
    fills = _fills(session, broker_id, [row.account_sequence for row in deliveries if row.account_sequence is not None])
    return {row.id: _test(row) if row.event == TEST else _execution(row, fills) for row in deliveries}


def _fills(session: Statements, broker_id: int, sequences: Iterable[int]) -> dict[int, Any]:
    wanted = list(sequences)
    if not wanted:
        return {}
    rows = session.execute(FILLS, {"broker_id": broker_id, "sequences": wanted})
    return {row.sequence: row for row in rows}


def _execution(delivery: Any, fills: dict[int, Any]) -> dict[str, Any]:
    fill = fills[delivery.account_sequence]
    return {
        "event": delivery.event,
        "sequence": delivery.sequence,
        "account_sequence": fill.sequence,
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "client_order_id": fill.client_order_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "price": fill.price,
        "quantity": fill.quantity,
        "filled_quantity": fill.filled_quantity,
        "order_remaining_quantity": fill.remaining_quantity,
        "liquidity": liquidity_of(fill),
        "fee": fill.fee or 0,
        "executed_at": timestamp(fill.executed_at),
    }


def _test(delivery: Any) -> dict[str, Any]:
    return {"event": TEST, "delivery_id": delivery.id, "created_at": timestamp(delivery.created_at)}
