"""Placing, changing and cancelling orders."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

from .errors import OutcomeUnknown
from .shapes import Document, Order, Side
from .transport import Transport, may_pass

NOT_WORKING = frozenset({"filled", "cancelled", "expired", "rejected"})
"""What an order is once it can trade no more."""


def new_client_order_id() -> str:
    """An id that no other order has."""
    return uuid.uuid4().hex


class Orders:
    """What one does with one's own orders. `document` is the customer for whom they are placed, unless one says so."""

    transport: Transport
    document: str | None

    def place_order(
        self,
        side: Side,
        symbol: str,
        quantity: int,
        price: int | None = None,
        *,
        wait: float | None = None,
        **more: Any,
    ) -> Order:
        """Place an order, once: it has a `client_order_id` before it is first sent, and keeps it when it is sent again.

        `price` in cents, None for a market order; `wait` seconds to answer once it is matched. `more` is whatever else
        an order has: `order_type`, `time_in_force`, `stop_price`, `display_quantity`, `post_only`, `client_order_id`,
        `document_number` … Raises Refused; OutcomeUnknown with the id, by which the order is found later.
        """
        body = self.order_body(side, symbol, quantity, price, **more)
        prefer = None if wait is None else f"wait={wait:g}"
        try:
            answer = self.transport.call("POST", "/orders", body, prefer=prefer, repeatable=True)
        except OutcomeUnknown as unknown:
            raise OutcomeUnknown(str(unknown), body["client_order_id"]) from unknown
        return cast(Order, answer.json())

    def buy(self, symbol: str, quantity: int, price: int | None = None, **more: Any) -> Order:
        """`place_order` of a bid."""
        return self.place_order("bid", symbol, quantity, price, **more)

    def sell(self, symbol: str, quantity: int, price: int | None = None, **more: Any) -> Order:
        """`place_order` of an ask."""
        return self.place_order("ask", symbol, quantity, price, **more)

    def place_orders(self, bodies: Sequence[Mapping[str, Any]]) -> list[Document]:
        """Place up to 500 orders with one request, made by `order_body`; the answers in their order.

        Each is {status, order} or {status, problem}: one that is refused does not keep the others back. While some are
        put off (429, 503) all are sent again, under their names. Raises OutcomeUnknown: each of them is found by its
        own client_order_id then.
        """
        patience = self.transport.new_patience()
        while True:
            answer = self.transport.call("POST", "/orders/batch", {"orders": list(bodies)}, repeatable=True)
            results = cast(list[Document], answer.json()["results"])
            put_off = [each for each in results if may_pass(each["status"], each.get("problem", {}).get("code", ""))]
            if not put_off or not patience.wait(str(put_off[0].get("problem", {}).get("code"))):
                return results

    def order_body(
        self, side: Side, symbol: str, quantity: int, price: int | None = None, **more: Any
    ) -> dict[str, Any]:
        """An order as it is sent, with a client_order_id; `more` as of `place_order`."""
        body: dict[str, Any] = {"side": side, "symbol": symbol, "quantity": quantity}
        if price is not None:
            body["price"] = price
        elif "order_type" not in more:
            body["order_type"] = "market" if more.get("stop_price") is None else "stop"
        if self.document is not None:
            body["document_number"] = self.document
        body |= {name: value for name, value in more.items() if value is not None}
        body.setdefault("client_order_id", new_client_order_id())
        return body

    def preview(self, side: Side, symbol: str, quantity: int, price: int | None = None, **more: Any) -> Document:
        """What an order would cost, reserve and fill at once, and whether it would be taken. Nothing is placed."""
        body = self.order_body(side, symbol, quantity, price, **more)
        return cast(Document, self.transport.call("POST", "/orders/preview", body, repeatable=True).json())

    def order(self, order_id: int) -> Order:
        """One order, with its fills."""
        return cast(Order, self.transport.get(f"/orders/{order_id}"))

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        """The order that was placed with this id; None if it never arrived."""
        return next(self.orders(client_order_id=client_order_id), None)

    def orders(
        self,
        *,
        status: str | Iterable[str] | None = None,
        symbol: str | None = None,
        limit: int | None = None,
        **more: Any,
    ) -> Iterator[Order]:
        """One's orders, newest first: all, or `limit` of them.

        `status`: one or several; `open` alone means every order that still works. `more`: `side`, `from_`, `to`,
        `client_order_id`, `place` (True: each with its place in the queue).
        """
        wanted = status if status is None or isinstance(status, str) else list(status)
        return self.transport.items("/orders", limit, status=wanted, symbol=symbol, **renamed(more))

    def amend_order(self, order_id: int, **changes: Any) -> Order:
        """Change `price`, `quantity` (the new total), `valid_until` or a waiting stop's `stop_price`.

        The order as the book has taken it, or, if it is still queued, as it was. Raises Refused, with the reason.
        """
        return cast(Order, self.transport.call("PUT", f"/orders/{order_id}", changes).json())

    def cancel_order(self, order_id: int, wait: float | None = None) -> bool:
        """Cancel an order: True once it never trades again, False if that is still queued after `wait` seconds."""
        return self._cancel(f"/orders/{order_id}", wait)

    def cancel_by_client_id(self, client_order_id: str, wait: float | None = None) -> bool:
        """The same by one's own id, whether its answer ever came or not."""
        return self._cancel(f"/orders/by-client-id/{client_order_id}", wait)

    def cancel_orders(self, symbol: str | None = None, side: str | None = None) -> int:
        """Cancel all, or those of a stock or a side; how many these are."""
        answer = self.transport.call("DELETE", "/orders", query={"symbol": symbol, "side": side})
        return int(answer.json()["cancelled"])

    def cancel_after(self, seconds: int) -> Document:
        """Have everything cancelled unless one is heard of again within so many seconds; 0 turns that off."""
        answer = self.transport.call("POST", "/orders/cancel-after", {"seconds": seconds}, repeatable=True)
        return cast(Document, answer.json())

    def close_position(self, symbol: str) -> Order:
        """Sell all that one holds of a stock, or buy back what was sold short; orders of that side are cancelled."""
        return cast(Order, self.transport.call("DELETE", f"/positions/{symbol}", repeatable=False).json())

    def close_positions(self) -> list[Document]:
        """The same of all stocks: each {symbol, order_id, refusal}."""
        return cast(list[Document], self.transport.call("DELETE", "/positions", repeatable=False).json()["items"])

    def _cancel(self, path: str, wait: float | None) -> bool:
        answer = self.transport.call("DELETE", path, prefer=None if wait is None else f"wait={wait:g}")
        return answer.status_code == HTTPStatus.NO_CONTENT


def renamed(query: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as the exchange calls them: `from_` is `from`, which Python keeps for itself."""
    return {name.rstrip("_"): value for name, value in query.items()}
