"""Orders that only rest, placed with as few requests as the exchange lets them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cli.order_flow.replay_scene import explained
from client import Exchange, Refused

BATCH: Final = 500
"""The most orders that one request may bring; a broker's own limit may be less."""

TOO_LARGE: Final = "batch_too_large"


class RestingOrders:
    """Places one broker's orders, bodies of REST that each have a client_order_id."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.most = BATCH

    def place(self, bodies: Sequence[dict[str, Any]]) -> list[int]:
        """The exchange's ids of the orders, in their order.

        Raises CommandError where a broker has too little, and what the client raises for the first that is refused.
        """
        placed: list[int] = []
        while part := bodies[len(placed) : len(placed) + self.most]:
            try:
                placed += self._batch(part) if len(part) > 1 else [self._one(part[0])]
            except Refused as refused:
                limit = refused.facts.get("limit")
                if refused.code != TOO_LARGE or not isinstance(limit, int) or not 0 < limit < len(part):
                    raise explained(refused) from refused
                self.most = limit
        return placed

    def _one(self, body: dict[str, Any]) -> int:
        answer = self.exchange.transport.call("POST", "/orders", body, repeatable=True)
        return int(answer.json()["order_id"])

    def _batch(self, bodies: Sequence[dict[str, Any]]) -> list[int]:
        results = self.exchange.place_orders(bodies)
        for each in results:
            if "problem" in each:
                raise Refused(each["status"], each["problem"])
        return [int(each["order"]["order_id"]) for each in results]
