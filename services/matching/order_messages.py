"""What the owner of an order is told of it with each of its events."""

from collections.abc import Mapping
from typing import Any

from engine.terms.codes import SELF_TRADE_PREVENTION
from engine.terms.events import Amended, Cancelled, Expired, Rejected
from engine.terms.order_types import LIMITED
from engine.terms.orders import SIDE_NAMES, Order
from services.prices import average_price
from services.settlement.execution_reports import ExecutionReport
from services.settlement.turn_records import Execution, StockTurn
from services.timestamps import timestamp


def blank_of(stock: StockTurn, order: Order, row: Any) -> dict[str, Any]:
    """The members of an order's messages, those filled in that are the same in each of a turn."""
    return {
        "account_sequence": 0,
        "order_id": row.id,
        "client_order_id": row.client_order_id,
        "symbol": stock.symbol,
        "side": SIDE_NAMES[order.side],
        "order_type": row.order_type,
        "time_in_force": row.time_in_force,
        "status": "",
        "price": None,
        "stop_price": order.stop_price,
        "quantity": 0,
        "filled_quantity": 0,
        "remaining_quantity": 0,
        "average_price": None,
        "valid_until": timestamp(row.valid_until),
        "created_at": timestamp(row.created_at),
        "sequence": row.sequence,
        "trade_id": None,
        "executed_at": stock.sequenced_at,
    }


def filled_in(blank: Mapping[str, Any], number: int, report: ExecutionReport) -> dict[str, Any]:
    """The same with how the order stands with this event, the broker's own of this number."""
    state, payload = report.state, {**blank}
    payload["account_sequence"] = number
    payload["status"] = report.status
    if report.order.type in LIMITED:
        payload["price"] = state.price
    payload["quantity"] = state.quantity
    payload["filled_quantity"] = state.filled
    payload["remaining_quantity"] = state.remaining
    if state.filled:
        payload["average_price"] = average_price(state.notional, state.filled)
    if report.trade_index is None:
        payload |= _change(report)
    return payload


def add_fill(payload: dict[str, Any], order: Order, execution: Execution, trade_id: int) -> None:
    """The members that say which trade it tells of, and what the order was and pays in it.

    `price` and `quantity` become the fill's own, as wherever fills are told; the order's are under other names.
    """
    payload["order_price"], payload["order_quantity"] = payload["price"], payload["quantity"]
    payload["trade_id"] = trade_id
    payload["price"] = payload["last_price"] = execution.price
    payload["quantity"] = payload["last_quantity"] = execution.quantity
    payload["liquidity"], payload["fee"] = execution.liquidity_of(order), execution.fee_of(order)


def _change(report: ExecutionReport) -> dict[str, Any]:
    """The members of a message that say what an event other than a trade changed."""
    match report.event:
        case Cancelled(quantity=quantity, reason=reason):
            prevented = reason == SELF_TRADE_PREVENTION
            return {"prevented_quantity" if prevented else "cancelled_quantity": quantity, "reason": reason}
        case Expired(quantity=quantity):
            return {"expired_quantity": quantity}
        case Rejected(code=code):
            return {"code": code}
        case Amended(kept_priority=kept):
            return {"kept_priority": kept}
    return {}
