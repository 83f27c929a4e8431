"""What the world is told after a turn: the messages for each room, and the snapshot of each book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson

from engine.book import Book
from engine.codes import SELF_TRADE_PREVENTION
from engine.events import Amended, Cancelled, Expired, Rejected
from engine.order_types import LIMITED
from engine.orders import ASK, BID, SIDE_NAMES, Order
from models import CASH
from services.prices import average_price
from services.settlement.execution_reports import ExecutionReport
from services.settlement.ledger import broker_of, order_id_of
from services.settlement.settle import StoredTurn
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import Announcement, Execution, StockTurn
from services.timestamps import timestamp


@dataclass(slots=True)
class Message:
    """One Socket.IO event for one room: its kind, and the symbol or broker that it is of."""

    room: tuple[str, str | int]
    event: str
    payload: dict[str, Any]


def public_events(outcome: TurnOutcome, trade_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The rows of `events`, and what the room `stock:` hears: every trade, every change of a stock's state."""
    events = [
        {
            "stock_id": execution.stock_id,
            "sequence": execution.sequence,
            "kind": "TRADE_EXECUTED",
            "payload": {
                "symbol": execution.symbol,
                "sequence": execution.sequence,
                "trade_id": trade_id,
                "price": execution.price,
                "quantity": execution.quantity,
                "aggressor_side": execution.aggressor_side,
                "executed_at": execution.executed_at,
            },
        }
        for execution, trade_id in zip(outcome.executions, trade_ids, strict=True)
    ]
    if outcome.announcements:
        events += map(_stock_state, outcome.announcements)
        events.sort(key=itemgetter("stock_id", "sequence"))
    return events


def _stock_state(announcement: Announcement) -> dict[str, Any]:
    payload = {
        "symbol": announcement.symbol,
        "sequence": announcement.sequence,
        "state": announcement.change.state,
        "reason": announcement.change.reason,
        "changed_at": announcement.changed_at,
    }
    return {
        "stock_id": announcement.stock_id,
        "sequence": announcement.sequence,
        "kind": "STOCK_STATE",
        "payload": payload,
    }


def indicative_message(stock: StockTurn, book: Book) -> Message:
    """The INDICATIVE message of a stock in an auction. It is not on the tape: only the latest counts."""
    found = book.indicative
    payload = {"symbol": stock.symbol, "price": found.price, "volume": found.volume, "surplus": found.surplus}
    return Message(("stock", stock.symbol), "INDICATIVE", {**payload, "at": stock.sequenced_at})


def turn_messages(
    outcome: TurnOutcome,
    events: Sequence[dict[str, Any]],
    trade_ids: Sequence[int],
    stored: StoredTurn,
    symbols: Mapping[int, str],
) -> list[Message]:
    """Every message of the turn: the public tape, then each owner's reports, then each owner's changed balances."""
    messages = [Message(("stock", event["payload"]["symbol"]), event["kind"], event["payload"]) for event in events]
    numbers = dict(stored.last_events)
    for _, report in outcome.reports:
        numbers[broker_of(report.order)] -= 1
    blanks: dict[int, dict[str, Any]] = {}
    for stock, report in outcome.reports:
        order = report.order
        broker_id, order_id = broker_of(order), order_id_of(order)
        numbers[broker_id] = number = numbers[broker_id] + 1
        blank = blanks.get(order_id)
        if blank is None:
            blank = blanks[order_id] = _blank(stock, order, stored.orders[order_id])
        payload = _filled_in(blank, number, report)
        if report.trade_index is not None:
            _add_fill(payload, order, outcome.executions[report.trade_index], trade_ids[report.trade_index])
        messages.append(Message(("user", broker_id), report.kind, payload))
    changed: dict[int, list[dict[str, Any]]] = {}
    for balance in stored.balances:
        changed.setdefault(balance.broker_id, []).append(balance_payload(balance, symbols))
    messages.extend(
        Message(("user", broker), "PORTFOLIO_UPDATED", {"broker_id": broker, "balances": rows})
        for broker, rows in changed.items()
    )
    return messages


def balance_payload(balance: Any, symbols: Mapping[int, str]) -> dict[str, Any]:
    """One changed balance, in cents or shares; `symbol` is null for cash."""
    symbol = None if balance.asset_id == CASH else symbols[balance.asset_id]
    return {
        "asset": "cash" if symbol is None else "stock",
        "symbol": symbol,
        "available": balance.available,
        "reserved": balance.reserved,
    }


def book_snapshot(stock: StockTurn, version: int, shown: Mapping[int, bytes]) -> dict[str, Any]:
    """The book's best levels a side, as `shown_side` shows them, and which version of the stock's row they belong to.

    To be written by orjson, which takes the sides as they are.
    """
    return {
        "symbol": stock.symbol,
        "version": version,
        "sequence": stock.event_sequence,
        "book_sequence": stock.book_sequence,
        "bids": orjson.Fragment(shown[BID]),
        "asks": orjson.Fragment(shown[ASK]),
    }


def _blank(stock: StockTurn, order: Order, row: Any) -> dict[str, Any]:
    """The members of an order's messages, those filled in that are the same in each of a turn."""
    return {
        "account_sequence": 0,
        "order_id": row.id,
        "client_order_id": row.client_order_id,
        "document_number": row.document_number,
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


def _filled_in(blank: Mapping[str, Any], number: int, report: ExecutionReport) -> dict[str, Any]:
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


def _add_fill(payload: dict[str, Any], order: Order, execution: Execution, trade_id: int) -> None:
    """The members that say which trade it tells of, and what the order was and pays in it."""
    payload["trade_id"], payload["last_price"], payload["last_quantity"] = trade_id, execution.price, execution.quantity
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
