"""One's own account as the exchange has it: orders and fills, kept up by events."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from .book import OutOfStep
from .errors import OutcomeUnknown, Refused, Unreachable
from .exchange import Exchange
from .orders import NOT_WORKING, new_client_order_id
from .shapes import AccountEvent, Fill, Order, Side

UNKNOWN: Final = "unknown"
"""The status of an order whose answer was lost, until it is known what became of it."""

MOST_LOOKS: Final = 20
MOST_PLACED: Final = 20_000
"""Orders that are remembered by one's own ids, also when they have ended."""


class AccountMirror:
    """All orders that still work, those that were placed through it, and every fill since it began.

    Feed it with the events of the channel `account`, as `Follower` does; it reads what there is by itself, at the
    beginning and whenever everything begins anew. Several threads may look at it.
    """

    channel: Final = "account"

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._lock = threading.RLock()
        self.account_sequence: int | None = None
        """The number of the last event that is in it; None as long as nothing is known."""
        self._orders: dict[int, Order] = {}
        self._placed: dict[str, Order] = {}
        self._fills: dict[int, dict[str, Any]] = {}
        self._left_at: int | None = None
        """How far it was when it was made to forget: fills behind that are read."""

    @property
    def is_ready(self) -> bool:
        """Whether it knows what there is."""
        return self.account_sequence is not None

    def orders(self) -> list[Order]:
        """The orders that still work, oldest first, and those of which it is not known."""
        with self._lock:
            working = [order for order in self._orders.values() if order["status"] not in NOT_WORKING]
            unknown = [order for order in self._placed.values() if order["status"] == UNKNOWN]
            return sorted(working, key=lambda order: order["order_id"]) + unknown

    def order(self, client_order_id: str) -> Order | None:
        """An order by one's own id: as it stands, also when it has ended; None where nothing is known of it."""
        with self._lock:
            return self._placed.get(client_order_id)

    def fills(self) -> list[Fill]:
        """The fills since it began, oldest first, each once."""
        with self._lock:
            return [cast(Fill, self._fills[number]) for number in sorted(self._fills)]

    def place_order(self, side: Side, symbol: str, quantity: int, price: int | None = None, **more: Any) -> Order:
        """`Exchange.place_order`, with the order in the mirror before it is sent.

        Where its answer is lost it stays there as `unknown`; its event, or `resolve`, tells what became of it. Raises
        Refused.
        """
        client_order_id = more.setdefault("client_order_id", new_client_order_id())
        placed = {"client_order_id": client_order_id, "symbol": symbol, "side": side, "quantity": quantity}
        with self._lock:
            self._placed[client_order_id] = cast(Order, {**placed, "price": price, "order_id": 0, "status": UNKNOWN})
        try:
            answer = self._exchange.place_order(side, symbol, quantity, price, **more)
        except OutcomeUnknown:
            return self._placed[client_order_id]
        except (Refused, Unreachable):
            with self._lock:
                if self._placed[client_order_id]["status"] == UNKNOWN:
                    del self._placed[client_order_id]
            raise
        with self._lock:
            if self._placed[client_order_id]["status"] == UNKNOWN:  # no event has told more yet
                self._note(cast(Order, {**self._placed[client_order_id], **answer}))
            self._forget_ended()
            return self._placed[client_order_id]

    def resolve(self) -> list[Order]:
        """Ask for all orders of which it is not known; those that never arrived are forgotten, and given."""
        lost = []
        for order in self.orders():
            if order["status"] != UNKNOWN:
                continue
            client_order_id = cast(str, order["client_order_id"])
            found = self._exchange.order_by_client_id(client_order_id)
            with self._lock:
                if found is not None:
                    self._note(found)
                elif self._placed[client_order_id]["status"] == UNKNOWN:
                    lost.append(self._placed.pop(client_order_id))
        return lost

    def take(self, name: str, payload: dict[str, Any]) -> None:
        """Heed one event; those of other channels change nothing. Raises OutOfStep."""
        if name == "RESET":
            self.forget()
            self._begin()
        elif name == "HEARTBEAT":
            self._compare(payload["channels"].get(self.channel))
        elif name.startswith("ORDER_"):
            self._count(name, payload)

    def forget(self) -> None:
        """Be sure of nothing any more: what is known is of before."""
        with self._lock:
            if self.account_sequence is not None:
                self._left_at, self.account_sequence = self.account_sequence, None

    def _begin(self) -> None:
        """Read what there is; where it changes meanwhile, again."""
        before = self._newest()
        for _ in range(MOST_LOOKS):
            orders = list(self._exchange.orders(status="open"))
            after = self._newest()
            if after == before:
                break
            before = after
        missed = [] if self._left_at is None or self._left_at > before else list(self._missed(self._left_at))
        with self._lock:
            self.account_sequence = before
            self._orders = {}
            for event in missed:
                if event["account_sequence"] <= before:
                    self._heed(event["event"], event["payload"])
            for order in orders:
                self._note(order)

    def _missed(self, after: int) -> Iterator[AccountEvent]:
        """What happened behind this number; nothing where all numbers have begun anew."""
        try:
            yield from self._exchange.account_events(after=after)
        except Refused as refused:
            if refused.code != "start_anew":
                raise

    def _newest(self) -> int:
        """The number of the last event of one's own."""
        try:
            list(self._exchange.account_events(after=2**53 - 1))
        except Refused as refused:
            return int(refused.facts["newest"])
        raise OutOfStep("the exchange does not say how far it is")

    def _count(self, name: str, payload: dict[str, Any]) -> None:
        if self.account_sequence is None:
            self._begin()
        with self._lock:
            known, number = self.account_sequence or 0, payload["account_sequence"]
            if number <= known:
                return  # what was read at the beginning is newer
            if number != known + 1:
                raise OutOfStep(f"the account goes from {known} to {number}")
            self.account_sequence = number
            self._heed(name, payload)

    def _heed(self, name: str, payload: dict[str, Any]) -> None:
        order = dict(payload)
        if name == "ORDER_FILLED":
            self._fills[payload["account_sequence"]] = payload
            order |= {"price": payload["order_price"], "quantity": payload["order_quantity"]}
        self._note(cast(Order, order))

    def _compare(self, number: int | None) -> None:
        if number is None:
            return
        if self.account_sequence is None:
            self._begin()
        elif number > self.account_sequence:
            raise OutOfStep(f"the account is at {number}, not {self.account_sequence}")

    def _forget_ended(self) -> None:
        """Let the oldest orders go that have ended, where there are very many."""
        if len(self._placed) > MOST_PLACED:
            ended = [name for name, order in self._placed.items() if order["status"] in NOT_WORKING]
            for name in ended[: len(ended) // 2]:
                del self._placed[name]

    def _note(self, order: Order) -> None:
        known: Mapping[str, Any] = self._orders.get(order["order_id"]) or {}
        merged = cast(Order, {**known, **order})
        if merged["status"] in NOT_WORKING:
            self._orders.pop(order["order_id"], None)
        else:
            self._orders[order["order_id"]] = merged
        if merged.get("client_order_id"):
            placed = self._placed.get(cast(str, merged["client_order_id"]))
            if placed is not None:
                self._placed[cast(str, merged["client_order_id"])] = cast(Order, {**placed, **merged})
