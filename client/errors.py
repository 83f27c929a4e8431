"""What can go wrong with a call."""

from __future__ import annotations

from typing import Any


class ExchangeError(Exception):
    """A call did not succeed."""


class Unreachable(ExchangeError):
    """No exchange answers at this address. Nothing was done."""


class OutcomeUnknown(ExchangeError):
    """The call may have been carried out, or not: its answer was lost, and it was not sent again, or in vain.

    `client_order_id` is that of the order, where it was one: `Exchange.order_by_client_id` tells what became of it.
    """

    def __init__(self, what: str, client_order_id: str | None = None) -> None:
        super().__init__(what)
        self.client_order_id = client_order_id


class Refused(ExchangeError):
    """The exchange refused. Nothing was done.

    `status` is that of HTTP, `code` the stable word for the reason, such as `insufficient_funds`, and `facts` all
    members of the answer: figures that explain it, and `errors` by field.
    """

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code: str = problem.get("code", "")
        self.detail: str = problem.get("detail", "")
        self.request_id: str = problem.get("request_id", "")
        self.facts = problem
        super().__init__(": ".join(part for part in (f"{status} {self.code}".strip(), self.detail) if part))
