"""A broker of the simulator: what its traders decide is sent, in their order, and what it has is known."""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

from client import AccountMirror, Exchange, ExchangeError, Refused

from .refusals import Refusals
from .traders import document_of
from .view import Action, Cancel, OwnOrder, Place

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 200  # orders in one request

MOST_WAITING: Final = 2_000
"""Actions that wait to be sent; the exchange is away or slower than we are, and what comes on top is left."""

STOP_SECONDS: Final = 2.0
REMEMBERED: Final = 2_000
"""Orders that have ended, and fills."""

EXPECTED: Final = frozenset({"unknown_order", "order_closed"})
"""What is cancelled may have been filled meanwhile."""


class Desk:
    """Sends in a thread of its own: `start`, `stop`."""

    def __init__(self, name: str, exchange: Exchange, tag: str, silence: int = 0) -> None:
        """`tag`: by which its orders are known from those of others that trade for the same broker.

        `silence`: seconds after which the exchange cancels whatever the broker has, unless it hears of us; 0: never.
        """
        self.name = name
        self.exchange = exchange
        self.mirror = AccountMirror(exchange, remembers=REMEMBERED)
        self.sent = 0
        self.refusals = Refusals(name)
        self._tag = tag
        self._waiting: queue.SimpleQueue[tuple[str, Action] | None] = queue.SimpleQueue()
        self._busy: dict[str, int] = {}
        """Actions of each stock that are not answered yet."""
        self._cancelled: set[int] = set()
        """Orders of which the end was asked for and has not come yet."""
        self._silence = silence
        self._heard_at = float("-inf")
        self._ends = False
        self.failure: Exception | None = None
        """What has ended its thread, if something has."""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"minex-desk-{name}", daemon=True)

    def start(self) -> None:
        """Send from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End with what is being sent; what waits is left."""
        self._ends = True
        self._waiting.put(None)
        self._thread.join(STOP_SECONDS)

    def wake(self) -> None:
        """Say that we are still here, if it is time for that."""
        self._waiting.put(None)

    @property
    def is_ready(self) -> bool:
        """Whether it knows what it has, and may trade."""
        return self.mirror.is_ready and not self.refusals.is_suspended and self.refusals.for_good is None

    def is_busy(self, symbol: str) -> bool:
        """Whether something that was decided of this stock is not answered yet."""
        return bool(self._busy.get(symbol))

    def orders(self, symbol: str) -> list[OwnOrder]:
        """Its traders' orders that rest, but for those that are being cancelled."""
        own = [order for order in self.mirror.orders(symbol) if self._is_own(order) and order.get("remaining_quantity")]
        with self._lock:
            rest = [order for order in own if order["order_id"] not in self._cancelled]
            if len(self._cancelled) > MOST_WAITING:
                self._cancelled &= {order["order_id"] for order in self.mirror.orders()}
        return [
            OwnOrder(
                order["order_id"],
                str(order["client_order_id"]).split(".")[1],
                "bid" if order["side"] == "bid" else "ask",
                int(order["price"] or 0),
                order["remaining_quantity"],
            )
            for order in rest
        ]

    def cancel_all(self) -> int:
        """Take back whatever of its own the exchange still has; how many these were. Raises ExchangeError."""
        cancelled = 0
        for order in [order for order in self.exchange.orders(status="open") if self._is_own(order)]:
            try:
                cancelled += self.exchange.cancel_order(order["order_id"])
            except Refused as refused:
                if refused.code not in EXPECTED:
                    raise
        return cancelled

    def can(self, symbol: str, action: Action) -> bool:
        """Whether nothing has just been refused that would be refused again."""
        return self.refusals.may(symbol, action.side if isinstance(action, Place) else "")

    def do(self, symbol: str, action: Action) -> None:
        """Have it sent."""
        if self._waiting.qsize() < MOST_WAITING:
            with self._lock:
                self._busy[symbol] = self._busy.get(symbol, 0) + 1
                if isinstance(action, Cancel):
                    self._cancelled.add(action.order.order_id)
            self._waiting.put((symbol, action))

    def _is_own(self, order: Mapping[str, Any]) -> bool:
        return str(order.get("client_order_id") or "").startswith(f"{self._tag}.")

    def _run(self) -> None:
        try:
            while not self._ends:
                gathered = [self._waiting.get()]
                while len(gathered) < MOST_AT_ONCE and not self._waiting.empty():
                    gathered.append(self._waiting.get())
                if not self._ends:
                    self._send([one for one in gathered if one is not None])
        except Exception as error:  # noqa: BLE001 - whoever runs the simulation raises it
            self.failure = error

    def _send(self, gathered: list[tuple[str, Action]]) -> None:
        """Cancels first, for they make room; the orders together."""
        try:
            self._say_still_here()
            if self.refusals.is_suspended:  # this was decided before anybody knew
                return
            for symbol, action in gathered:
                if isinstance(action, Cancel):
                    self._cancel(symbol, action.order.order_id)
            if placed := [(symbol, action) for symbol, action in gathered if isinstance(action, Place)]:
                self._place(placed)
            if self.mirror.is_ready:
                self.mirror.resolve()
        except Refused as refused:
            self.refusals.heed(refused)
        except ExchangeError as error:
            log.info("%s: %s", self.name, error)
        finally:
            with self._lock:
                for symbol, action in gathered:
                    self._busy[symbol] -= 1
                    if isinstance(action, Cancel) and self.refusals.is_suspended:
                        self._cancelled.discard(action.order.order_id)

    def _say_still_here(self) -> None:
        if self._silence and time.monotonic() - self._heard_at > self._silence / 3:
            self.exchange.cancel_after(self._silence)
            self._heard_at = time.monotonic()

    def _cancel(self, symbol: str, order_id: int) -> None:
        self.sent += 1
        try:
            self.exchange.cancel_order(order_id, wait=0)
        except ExchangeError as error:
            if isinstance(error, Refused) and error.code in EXPECTED:
                return
            with self._lock:
                self._cancelled.discard(order_id)
            if not isinstance(error, Refused):
                raise
            self.refusals.heed(error, symbol)

    def _place(self, placed: list[tuple[str, Place]]) -> None:
        self.sent += len(placed)
        results = self.mirror.place_orders([self._body(symbol, action) for symbol, action in placed])
        for (symbol, action), result in zip(placed, results, strict=False):
            if "order" in result:
                self.refusals.note_taken()
            elif "problem" in result:
                self.refusals.heed(Refused(result["status"], result["problem"]), symbol, action.side)

    def _body(self, symbol: str, action: Place) -> dict[str, Any]:
        return self.exchange.order_body(
            action.side,
            symbol,
            action.quantity,
            action.price,
            time_in_force="ioc" if action.at_once else "gtc",
            document_number=document_of(action.trader),
            client_order_id=f"{self._tag}.{action.trader}.{uuid.uuid4().hex}",
        )
