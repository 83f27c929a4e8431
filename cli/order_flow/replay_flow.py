"""Order flow over REST: what `minex replay` sends, and what came of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cli.exits import FAILED
from cli.order_flow.lobster import Step
from cli.order_flow.lobster_messages import Message
from cli.order_flow.replay_scene import check_stock, explained
from cli.order_flow.resting_orders import BATCH, RestingOrders
from cli.terminal import CommandError, say
from client import Exchange, Refused
from engine import Amend, Cancel, New, Order
from engine.terms.order_types import IOC
from engine.terms.orders import SIDE_NAMES

WAIT_SECONDS = 10
"""How long a taker's answer may wait for the match."""

TOO_LATE = frozenset({"order_closed", "amendment_refused"})
"""Why an order that has been filled meanwhile is not amended."""

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
    refused: int = 0
    """Amendments of orders that were filled by an execution meant for another."""
    missed: list[str] = field(default_factory=list)


class Flow:
    """Sends steps one after the other, so that the inbox has them in the file's order.

    Orders that only rest are gathered and sent with one request, until something else comes.
    """

    def __init__(self, maker: Exchange, taker: Exchange, symbol: str) -> None:
        self.maker = maker
        self.taker = taker
        self.symbol = symbol
        self.outcome = Outcome()
        self._ids: dict[Any, int] = {}
        """The exchange's order ids by the file's."""
        self._resting = RestingOrders(maker)
        self._gathered: list[Order] = []
        self._run, self._named = secrets.token_hex(6), 0
        """Each order of this replay has a client_order_id, so that any may be sent again."""
        self._executions: list[tuple[Message, dict[str, Any]]] = []
        self._began = 0.0

    def prepare(self, steps: Sequence[Step]) -> None:
        """See that the stock takes the orders, and that its book is empty, also of an earlier replay's.

        Raises CommandError, and what the client raises.
        """
        left = sum(broker.cancel_orders(self.symbol) for broker in (self.maker, self.taker))
        if left:
            say(f"cancelled {left} orders that were left in {self.symbol}")
        check_stock(self.maker.stock(self.symbol), steps)
        book = self.maker.book(self.symbol, depth=1)
        if book["bids"] or book["asks"]:
            raise CommandError(
                f"Others have orders in {self.symbol}; the flow would meet them.", "minex replay FILE --symbol …"
            )
        self._began = time.perf_counter()

    def send(self, step: Step) -> None:
        """Send one command and wait until it is stored; an execution or an amendment until it is matched."""
        command = step.command
        if isinstance(command, New) and step.execution is None:
            self._gathered.append(command.order)
            if len(self._gathered) < BATCH:
                return
        self._place_gathered()
        if isinstance(command, New) and step.execution is not None:
            self._execute(command.order, step.execution)
        elif isinstance(command, Amend):
            self._amend(command)
        elif isinstance(command, Cancel):
            self.maker.transport.call("DELETE", self._path(command.id), prefer="respond-async")
            self.outcome.cancels += 1

    def finish(self) -> Outcome:
        """Send what is left, then compare each execution with what it hit."""
        self._place_gathered()
        self.outcome.seconds = time.perf_counter() - self._began
        self.outcome.executions = len(self._executions)
        hit = self._hit_orders()
        for message, order in self._executions:
            fills = [(hit.get(fill["trade_id"]), fill["price"], fill["quantity"]) for fill in order["trades"]]
            self.outcome.trades += len(fills)
            wanted = (self._ids[message.id], message.price, message.shares)
            if fills == [wanted]:
                self.outcome.met += 1
            else:
                self.outcome.missed.append(f"order {wanted[0]} should have filled {wanted[2]} at {wanted[1]}: {fills}")
            self.outcome.latencies.append(_microseconds_between(order["created_at"], order["updated_at"]))
        return self.outcome

    def _place_gathered(self) -> None:
        """Place what was gathered, in its order."""
        orders, self._gathered = self._gathered, []
        ids = self._resting.place([self._body(order) for order in orders])
        self._ids |= {order.id: order_id for order, order_id in zip(orders, ids, strict=True)}
        self.outcome.orders += len(orders)

    def _execute(self, order: Order, execution: Message) -> None:
        body = self._body(order) | {"time_in_force": IOC}
        try:
            prefer = f"wait={WAIT_SECONDS}"
            answer = self.taker.transport.call("POST", "/orders", body, prefer=prefer, repeatable=True).json()
        except Refused as refused:
            raise explained(refused) from refused
        if answer["status"] == "pending":
            raise CommandError("The exchange does not match; is its worker running?", "minex status", exit_code=FAILED)
        self.outcome.orders += 1
        self._executions.append((execution, answer))

    def _amend(self, command: Amend) -> None:
        """Amend an order; one that an execution of another has filled is refused, and the flow goes on."""
        self.outcome.amendments += 1
        try:
            changes, prefer = {"quantity": command.quantity}, f"wait={WAIT_SECONDS}"
            self.maker.transport.call("PUT", self._path(command.id), changes, prefer=prefer)
        except Refused as refused:
            if refused.code not in TOO_LATE:
                raise
            self.outcome.refused += 1

    def _body(self, order: Order) -> dict[str, Any]:
        self._named += 1
        return {
            "client_order_id": f"replay-{self._run}-{self._named}",
            "document_number": DOCUMENTS[str(order.account)],
            "side": SIDE_NAMES[order.side],
            "symbol": self.symbol,
            "quantity": order.quantity,
            "price": order.price,
            "self_trade_prevention": "none",
        }

    def _hit_orders(self) -> dict[int, int]:
        """The resting broker's order ids by trade, as far back as this flow's first trade."""
        trades = [fill["trade_id"] for _, order in self._executions for fill in order["trades"]]
        hit: dict[int, int] = {}
        for fill in self.maker.fills():
            if fill["trade_id"] < min(trades, default=0):
                break
            hit[fill["trade_id"]] = fill["order_id"]
        return hit

    def _path(self, order_id: Any) -> str:
        return f"/orders/{self._ids[order_id]}"


def _microseconds_between(earlier: str, later: str) -> int:
    difference = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return difference.seconds * 1_000_000 + difference.microseconds
