"""Order flow over REST: what `minex replay` sends, and what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cli.exits import FAILED
from cli.order_flow.exchange_client import ExchangeClient
from cli.order_flow.lobster import Step
from cli.order_flow.lobster_messages import Message
from cli.terminal import CommandError, say
from engine import Amend, Cancel, New
from engine.order_types import IOC
from engine.orders import BID

WAIT_SECONDS = 10
"""How long a taker's answer may wait for the match."""

DOCUMENTS = {"maker": "00000000001", "taker": "00000000002"}
"""End customers of the two sides; the brokers differ, so the two never count as one trader."""


@dataclass
class Outcome:
    """What the exchange made of the flow; latencies in microseconds from acceptance to settlement."""

    orders: int = 0
    cancels: int = 0
    amendments: int = 0
    executions: int = 0
    met: int = 0
    trades: int = 0
    seconds: float = 0.0
    latencies: list[int] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


class Flow:
    """Sends steps one after the other, so that the inbox has them in the file's order."""

    def __init__(self, maker: ExchangeClient, taker: ExchangeClient, symbol: str) -> None:
        self.maker = maker
        self.taker = taker
        self.symbol = symbol
        self.outcome = Outcome()
        self._ids: dict[Any, int] = {}
        """The exchange's order ids by the file's."""
        self._executions: list[tuple[Message, dict[str, Any]]] = []
        self._began = 0.0

    def prepare(self) -> None:
        """Make sure that the stock is open and its book empty of what an earlier replay left. Raises CommandError."""
        self.maker.get(f"/stocks/{self.symbol}")
        left = [
            order["order_id"]
            for client in (self.maker, self.taker)
            for status in ("open", "partially_filled")
            for order in client.items(f"/orders?symbol={self.symbol}&status={status}")
        ]
        if left:
            say(f"cancelling {len(left)} orders that are left in {self.symbol}")
        for order_id in left:
            self.maker.call("DELETE", f"/orders/{order_id}")
        book = self.maker.get(f"/stocks/{self.symbol}/book?depth=1")
        if book["bids"] or book["asks"]:
            raise CommandError(
                f"Others have orders in {self.symbol}; the flow would meet them.", "minex replay FILE --symbol …"
            )
        self._began = time.perf_counter()

    def send(self, step: Step) -> None:
        """Send one command and wait until it is stored; an execution until it is matched."""
        command = step.command
        if isinstance(command, New):
            self._place(command, step.execution)
        elif isinstance(command, Amend):
            self.maker.call("PUT", self._path(command.id), {"quantity": command.quantity})
            self.outcome.amendments += 1
        elif isinstance(command, Cancel):
            self.maker.call("DELETE", self._path(command.id), prefer="respond-async")
            self.outcome.cancels += 1

    def finish(self) -> Outcome:
        """Wait for the last cancel, then compare each execution with what it hit."""
        self.outcome.seconds = time.perf_counter() - self._began
        self.outcome.executions = len(self._executions)
        hit = self._hit_orders()
        for message, order in self._executions:
            fills = [(hit.get(one["trade_id"]), one["price"], one["quantity"]) for one in order["trades"]]
            self.outcome.trades += len(fills)
            wanted = (self._ids[message.id], message.price, message.shares)
            if fills == [wanted]:
                self.outcome.met += 1
            else:
                self.outcome.missed.append(f"order {wanted[0]} should have filled {wanted[2]} at {wanted[1]}: {fills}")
            self.outcome.latencies.append(_microseconds_between(order["created_at"], order["updated_at"]))
        return self.outcome

    def _place(self, command: New, execution: Message | None) -> None:
        order = command.order
        body: dict[str, Any] = {
            "document_number": DOCUMENTS[str(order.account)],
            "side": "bid" if order.side == BID else "ask",
            "symbol": self.symbol,
            "quantity": order.quantity,
            "price": order.price,
            "self_trade_prevention": "none",
        }
        self.outcome.orders += 1
        if execution is None:
            self._ids[order.id] = self.maker.call("POST", "/orders", body).json()["order_id"]
            return
        body["time_in_force"] = IOC
        answer = self.taker.call("POST", "/orders", body, prefer=f"wait={WAIT_SECONDS}").json()
        if answer["status"] == "pending":
            raise CommandError("The exchange does not match; is its worker running?", "minex status", exit_code=FAILED)
        self._executions.append((execution, answer))

    def _hit_orders(self) -> dict[int, int]:
        """The resting broker's order ids by trade, as far back as this flow's first trade."""
        trades = [fill["trade_id"] for _, order in self._executions for fill in order["trades"]]
        hit: dict[int, int] = {}
        for fill in self.maker.items("/trades"):
            if fill["trade_id"] < min(trades, default=0):
                break
            hit[fill["trade_id"]] = fill["order_id"]
        return hit

    def _path(self, order_id: Any) -> str:
        return f"/orders/{self._ids[order_id]}"


def _microseconds_between(earlier: str, later: str) -> int:
    difference = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return difference.seconds * 1_000_000 + difference.microseconds
