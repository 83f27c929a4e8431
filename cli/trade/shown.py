"""Orders and positions as tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from cli.terminal import coloured, table
from cli.trade.prices import price_of

COLOURS = {"bid": "green", "ask": "red"}
WORDS = {"bid": "buy", "ask": "sell"}


def order_line(order: Mapping[str, Any]) -> str:
    """One order in a sentence: what it wants, what it got, what is left."""
    at = "at market" if order["order_type"] in ("market", "stop") else f"@ {price_of(order['price'])}"
    stop = "" if order["stop_price"] is None else f" once it trades at {price_of(order['stop_price'])}"
    words = f"{WORDS[order['side']]} {order['quantity']:,} {order['symbol']} {at}{stop}"
    lines = [f"order {order['order_id']}  {words}  {coloured(order['status'], _colour(order['status']), sys.stdout)}"]
    if order["filled_quantity"]:
        fee = f", fee {price_of(order['fee'])}" if order.get("fee") else ""
        lines.append(f"  {order['filled_quantity']:,} filled at {price_of(order['average_price'])} on average{fee}")
    if order["remaining_quantity"] and order["filled_quantity"]:
        lines.append(f"  {order['remaining_quantity']:,} left")
    reason = order.get("reason") or order.get("reject_code")
    if reason:
        lines.append(f"  {reason}")
    return "\n".join(lines)


def order_table(orders: Sequence[Mapping[str, Any]]) -> str:
    """Several orders, a line each."""
    rows = [
        [
            str(order["order_id"]),
            order["symbol"],
            WORDS[order["side"]],
            order["order_type"],
            price_of(order["price"]),
            f"{order['quantity']:,}",
            f"{order['filled_quantity']:,}",
            order["status"],
            order["created_at"][:19].replace("T", " "),
        ]
        for order in orders
    ]
    return table(["order", "stock", "side", "type", "price", "quantity", "filled", "status", "placed (UTC)"], rows)


def position_table(portfolio: Mapping[str, Any]) -> str:
    """What one holds, and the cash."""
    rows = [
        [
            position["symbol"],
            f"{position['available'] + position['reserved']:,}",
            f"{position['reserved']:,}",
            price_of(position["average_cost"]),
            price_of(position["market_value"]),
            _signed(position["unrealised_pnl"]),
            _signed(position["realised_pnl"]),
        ]
        for position in portfolio["positions"]
    ]
    heads = ["stock", "shares", "reserved", "cost each", "worth", "unrealised", "realised"]
    line = f"cash {price_of(portfolio['available_cash'])}, reserved {price_of(portfolio['reserved_cash'])}"
    return f"{table(heads, rows)}\n\n{line}" if rows else line


def _signed(cents: int | None) -> str:
    return "-" if cents is None else f"{cents / 100:+,.2f}"


def _colour(status: str) -> str:
    if status in ("rejected", "expired", "cancelled"):
        return "red"
    return "green" if status in ("filled", "partially_filled") else "yellow"
