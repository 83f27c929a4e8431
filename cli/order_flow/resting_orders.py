"""Orders that only rest, placed with as few requests as the exchange lets them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cli.order_flow.exchange_client import ExchangeClient, Refused
from cli.order_flow.patience import Patience
from cli.order_flow.replay_scene import explained

BATCH: Final = 500
"""The most orders that one request may bring; a broker's own limit may be less."""

TOO_LARGE: Final = "batch_too_large"
BETWEEN_SECONDS: Final = 1
"""Before a batch is sent again of which a part was put off."""


class RestingOrders:
    """Places one broker's orders, bodies of REST that each have a client_order_id."""

    def __init__(self, client: ExchangeClient) -> None:
        self.client = client
        self.most = BATCH

    def place(self, bodies: Sequence[dict[str, Any]]) -> list[int]:
        """The exchange's ids of the orders, in their order. Raises CommandError for the first that is refused."""
        placed: list[int] = []
        while part := bodies[len(placed) : len(placed) + self.most]:
            try:
                placed += self._batch(part) if len(part) > 1 else [self._one(part[0])]
            except Refused as refused:
                limit = refused.facts.get("limit")
                if refused.problem != TOO_LARGE or not isinstance(limit, int) or not 0 < limit < len(part):
                    raise explained(refused) from refused
                self.most = limit
        return placed

    def _one(self, body: dict[str, Any]) -> int:
        return int(self.client.call("POST", "/orders", body, repeatable=True).json()["order_id"])

    def _batch(self, bodies: Sequence[dict[str, Any]]) -> list[int]:
        """The ids of a batch, which is sent again while some are put off: those that were taken keep their ids."""
        patience = Patience()
        while True:
            answer = self.client.call("POST", "/orders/batch", {"orders": bodies}, repeatable=True)
            results = answer.json()["results"]
            refusals = [Refused("POST /orders/batch", each["problem"]) for each in results if "problem" in each]
            if not refusals:
                return [int(each["order"]["order_id"]) for each in results]
            for refused in refusals:
                if not refused.may_pass(repeatable=True):
                    raise refused
            patience.wait(BETWEEN_SECONDS, refusals[0].message)
