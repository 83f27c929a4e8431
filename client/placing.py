"""Orders that a mirror knows before the exchange does: placed through it, each under an id of one's own."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from .errors import OutcomeUnknown, Refused, Unreachable
from .exchange import Exchange
from .orders import NOT_WORKING, new_client_order_id
from .shapes import Document, Order, Side

UNKNOWN: Final = "unknown"
"""The status of an order whose answer was lost, until it is known what became of it."""

MOST_PLACED: Final = 20_000
"""Orders that are remembered by one's own ids, also when they have ended."""


class PlacedOrders:
    """What was placed through a mirror, as it stands. Several threads may place."""

    def __init__(self, exchange: Exchange, most: int = MOST_PLACED) -> None:
        self._exchange = exchange
        self._lock = threading.RLock()
        self._orders: dict[int, Order] = {}
        self._placed: dict[str, Order] = {}
        self._asked: dict[str, None] = {}
        """The names of those of which it is not known what became of them, oldest first."""
        self._most = most

    def order(self, client_order_id: str) -> Order | None:
        """An order by one's own id: as it stands, also when it has ended; None where nothing is known of it."""
        with self._lock:
            return self._placed.get(client_order_id)

    def orders(self, symbol: str | None = None) -> list[Order]:
        """The orders that still work, of all stocks or of one, oldest first, and those of which it is not known."""
        with self._lock:
            wanted = [order for order in self._orders.values() if symbol in (None, order["symbol"])]
            unknown = [one for one in self._unknown() if symbol in (None, one["symbol"])]
        return sorted(wanted, key=lambda order: order["order_id"]) + unknown

    def place_order(self, side: Side, symbol: str, quantity: int, price: int | None = None, **more: Any) -> Order:
        """`Exchange.place_order`, with the order in the mirror before it is sent.

        Where its answer is lost it stays there as `unknown`; its event, or `resolve`, tells what became of it. Raises
        Refused.
        """
        client_order_id = more.setdefault("client_order_id", new_client_order_id())
        wanted = {"client_order_id": client_order_id, "symbol": symbol, "side": side, "quantity": quantity}
        self._expect({**wanted, "price": price})
        try:
            answer = self._exchange.place_order(side, symbol, quantity, price, **more)
        except OutcomeUnknown:
            return self._placed[client_order_id]
        except (Refused, Unreachable):
            self._was_not_taken(client_order_id)
            raise
        placed = self._was_taken(client_order_id, answer)
        self._forget_ended()
        return placed

    def place_orders(self, bodies: Sequence[Mapping[str, Any]]) -> list[Document]:
        """`Exchange.place_orders`, with the orders in the mirror before they are sent; none where the answer is lost.

        Raises Refused where all were refused together.
        """
        names = [body["client_order_id"] for body in bodies]
        for body in bodies:
            self._expect({"price": None, **body})
        try:
            results = self._exchange.place_orders(bodies)
        except OutcomeUnknown:
            return []
        except (Refused, Unreachable):
            for name in names:
                self._was_not_taken(name)
            raise
        for name, result in zip(names, results, strict=True):
            if "order" in result:
                self._was_taken(name, result["order"])
            else:
                self._was_not_taken(name)
        self._forget_ended()
        return results

    def resolve(self) -> list[Order]:
        """Ask for all orders of which it is not known; those that never arrived are forgotten, and given."""
        lost = []
        with self._lock:
            unknown = self._unknown()
        for order in unknown:
            client_order_id = cast(str, order["client_order_id"])
            found = self._exchange.order_by_client_id(client_order_id)
            with self._lock:
                if found is not None:
                    self._note(found)
                elif client_order_id in self._asked:
                    del self._asked[client_order_id]
                    lost.append(self._placed.pop(client_order_id))
        return lost

    def _unknown(self) -> list[Order]:
        return [self._placed[name] for name in self._asked]

    def _expect(self, order: Mapping[str, Any]) -> None:
        with self._lock:
            name = order["client_order_id"]
            new = {"order_id": 0, "status": UNKNOWN, "filled_quantity": 0, "remaining_quantity": order["quantity"]}
            self._placed[name] = cast(Order, {**order, **new})
            self._asked[name] = None

    def _was_taken(self, client_order_id: str, answer: Mapping[str, Any]) -> Order:
        with self._lock:
            if client_order_id in self._asked:  # no event has told more yet
                self._note(cast(Order, {**self._placed[client_order_id], **answer}))
            return self._placed.get(client_order_id) or cast(Order, answer)  # it may have ended and been forgotten

    def _was_not_taken(self, client_order_id: str) -> None:
        with self._lock:
            if client_order_id in self._asked:
                del self._asked[client_order_id], self._placed[client_order_id]

    def _forget_ended(self) -> None:
        """Let the oldest orders go that have ended, where there are very many."""
        with self._lock:
            if len(self._placed) > self._most:
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
        name = merged.get("client_order_id") or ""
        if name in self._placed:
            self._asked.pop(name, None)
            self._placed[name] = cast(Order, {**self._placed[name], **merged})
