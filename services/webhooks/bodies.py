"""What a delivery says. It is made anew at each attempt, from what never changes, so it is always the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.accounts.bust_events import read_bust_events
from services.accounts.read_fills import liquidity_of
from services.timestamps import timestamp
from services.webhooks.subscriptions import TEST, TRADE_ADJUSTED, TRADE_BUSTED, TRADE_EXECUTED

FILLS: Final = text("""
    SELECT e.sequence, e.trade_id, e.order_id, o.client_order_id, s.symbol, o.side, t.price, t.quantity,
        e.filled_quantity, e.remaining_quantity, e.fee, t.aggressor_side, t.is_auction, t.executed_at
    FROM account_events e JOIN orders o ON o.id = e.order_id JOIN stocks s ON s.id = o.stock_id
    JOIN trades t ON t.id = e.trade_id
    WHERE e.broker_id = :broker_id AND e.sequence = ANY(:sequences)
""")


def bodies_of(session: Statements, broker_id: int, deliveries: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """What each of these rows of `webhook_deliveries` of one broker says, by its id."""
    fills = _fills(session, broker_id, [row.account_sequence for row in deliveries if row.event == TRADE_EXECUTED])
    busts = [row.account_sequence for row in deliveries if row.event in (TRADE_BUSTED, TRADE_ADJUSTED)]
    told = read_bust_events(session, broker_id, busts)
    return {row.id: _body(row, fills, told) for row in deliveries}


def _body(delivery: Any, fills: Mapping[int, Any], busts: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    if delivery.event == TEST:
        return _test(delivery)
    if delivery.event == TRADE_EXECUTED:
        return _execution(delivery, fills)
    return _bust(delivery, busts[delivery.account_sequence])


def _fills(session: Statements, broker_id: int, sequences: Iterable[int]) -> dict[int, Any]:
    wanted = list(sequences)
    if not wanted:
        return {}
    rows = session.execute(FILLS, {"broker_id": broker_id, "sequences": wanted})
    return {row.sequence: row for row in rows}


def _execution(delivery: Any, fills: Mapping[int, Any]) -> dict[str, Any]:
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


def _bust(delivery: Any, told: Mapping[str, Any]) -> dict[str, Any]:
    """What one's own event says, with the delivery's number, and what remains of the order under the usual name."""
    body = {"event": delivery.event, **told, "sequence": delivery.sequence}
    body["order_remaining_quantity"] = body.pop("remaining_quantity")
    return body


def _test(delivery: Any) -> dict[str, Any]:
    return {"event": TEST, "delivery_id": delivery.id, "created_at": timestamp(delivery.created_at)}
