"""What the owner of an order is told of the bust of one of its trades: on streams, in its events, by webhook."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.accounts.read_fills import liquidity_of
from services.timestamps import timestamp

TRADE_BUSTED: Final = "TRADE_BUSTED"
TRADE_ADJUSTED: Final = "TRADE_ADJUSTED"

EVENTS: Final = text("""
    SELECT e.sequence, e.order_id, e.status, e.filled_quantity, e.remaining_quantity, e.fee, o.client_order_id,
        o.side, s.symbol, b.id AS bust_id, b.trade_id, b.new_price, b.rule, b.reason, b.event_sequence, b.done_at,
        t.price, t.quantity, t.aggressor_side, t.is_auction, t.executed_at
    FROM account_events e JOIN busts b ON b.id = e.bust_id JOIN trades t ON t.id = b.trade_id
    JOIN orders o ON o.id = e.order_id JOIN stocks s ON s.id = o.stock_id
    WHERE e.broker_id = :broker_id AND e.sequence = ANY(:sequences) AND e.bust_id IS NOT NULL
""")


def read_bust_events(session: Statements, broker_id: int, sequences: Collection[int]) -> dict[int, dict[str, Any]]:
    """What the broker was told of busts with these of its own events, by their numbers."""
    if not sequences:
        return {}
    rows = session.execute(EVENTS, {"broker_id": broker_id, "sequences": list(sequences)})
    return {row.sequence: bust_payload(row) for row in rows}


def bust_payload(row: Any) -> dict[str, Any]:
    """One such event: prices and fees in cents, quantities in shares.

    `price` is that at which the trade was executed, or at which it stands from then on, beside its `old_price`. `fee`
    is what the fill had cost: with a bust it comes back. `row` has what `EVENTS` reads.
    """
    adjusted = row.new_price is not None
    prices = {"old_price": row.price, "price": row.new_price} if adjusted else {"price": row.price}
    return {
        "account_sequence": row.sequence,
        "bust_id": row.bust_id,
        "trade_id": row.trade_id,
        "order_id": row.order_id,
        "client_order_id": row.client_order_id,
        "symbol": row.symbol,
        "side": row.side,
        **prices,
        "quantity": row.quantity,
        "filled_quantity": row.filled_quantity,
        "remaining_quantity": row.remaining_quantity,
        "liquidity": liquidity_of(row),
        "fee": row.fee or 0,
        "status": row.status,
        "rule": row.rule,
        "reason": row.reason,
        "executed_at": timestamp(row.executed_at),
        "sequence": row.event_sequence,
        "adjusted_at" if adjusted else "busted_at": timestamp(row.done_at),
    }
