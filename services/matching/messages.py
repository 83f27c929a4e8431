"""What the world is told after a turn: the messages for each room, and the snapshot of each book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson

from engine.book import Book
from engine.terms.orders import ASK, BID
from models import CASH
from services.matching.order_messages import add_fill, blank_of, filled_in
from services.prices import indicative_document
from services.settlement.ledger import broker_of, order_id_of
from services.settlement.settle import StoredTurn
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import Announcement, StockTurn


@dataclass(slots=True)
class Message:
    """One Socket.IO event for one room: its kind, and the symbol or broker that it is of."""

    room: tuple[str, str | int]
    event: str
    payload: dict[str, Any]


def public_events(
    outcome: TurnOutcome, trade_ids: Sequence[int], facts: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of `events`, and what the room `stock:` hears: every trade, every change of a stock's state.

    `facts`: what else is told of each of the outcome's announcements.
    """
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
        events += map(_stock_state, outcome.announcements, facts)
        events.sort(key=itemgetter("stock_id", "sequence"))
    return events


def _stock_state(announcement: Announcement, facts: Mapping[str, Any]) -> dict[str, Any]:
    payload = {
        "symbol": announcement.symbol,
        "sequence": announcement.sequence,
        "state": announcement.change.state,
        "reason": announcement.change.reason,
        "set_by": announcement.set_by,
        "since": announcement.changed_at,
        "changed_at": announcement.changed_at,
        **facts,
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
    payload = {"symbol": stock.symbol, **indicative_document(found.price, found.volume, found.surplus)}
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
            blank = blanks[order_id] = blank_of(stock, order, stored.orders[order_id])
        payload = filled_in(blank, number, report)
        if report.trade_index is not None:
            add_fill(payload, order, outcome.executions[report.trade_index], trade_ids[report.trade_index])
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
