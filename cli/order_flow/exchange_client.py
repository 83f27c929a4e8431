"""A broker's way into a running exchange, for commands: REST by one kept connection, errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import requests

from cli.exits import NOT_RUNNING, REFUSED
from cli.order_flow.patience import Patience
from cli.terminal import CommandError

TIMEOUT_SECONDS = 30
PAGE = 500

TOO_MANY_REQUESTS: Final = 429
UNAVAILABLE: Final = 503
OUTCOME_UNKNOWN: Final = "outcome_unknown"
AMENDMENT_WAITING: Final = "amendment_waiting"
"""An earlier amendment of the order is still queued; once it is taken the next may come."""


class Refused(CommandError):
    """The exchange refused a request.

    `problem` is its code, such as `insufficient_shares`, empty if it gave none; `facts` are all members of its answer.
    """

    def __init__(self, what: str, answer: requests.Response | dict[str, Any], *mend: str) -> None:
        self.problem, self.status, reason, self.facts = _problem(answer)
        super().__init__(f"{what}: {reason}", *mend, exit_code=REFUSED)

    def may_pass(self, *, repeatable: bool) -> bool:
        """True if the same request may be taken later, and sending it again can do nothing twice.

        Where the outcome is unknown only what is `repeatable` may be sent again.
        """
        if self.problem == OUTCOME_UNKNOWN:
            return repeatable
        return self.status in (TOO_MANY_REQUESTS, UNAVAILABLE) or self.problem == AMENDMENT_WAITING


class ExchangeClient:
    """One broker's, or the administrator's, connection to the exchange at `url`."""

    def __init__(self, url: str, api_key: str) -> None:
        self.base = f"{url.rstrip('/')}/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    def call(
        self, method: str, path: str, body: Any = None, prefer: str | None = None, *, repeatable: bool | None = None
    ) -> requests.Response:
        """The answer to one request, which is sent again for a while where the exchange puts it off (429, 503).

        `repeatable` says that nothing is done twice if it is sent twice, as for orders with a client_order_id; unless
        given it holds for all methods but POST. Raises CommandError where nobody answers, or nobody takes it for as
        long as `Patience` lasts, and `Refused` where the exchange refuses it.
        """
        patience = Patience()
        repeatable = method != "POST" if repeatable is None else repeatable
        while True:
            answer = self._send(method, path, body, prefer)
            if answer.status_code < 400:
                return answer
            refused = Refused(f"{method} {path}", answer)
            if not refused.may_pass(repeatable=repeatable):
                raise refused
            patience.wait(_retry_after(answer), refused.message)

    def _send(self, method: str, path: str, body: Any, prefer: str | None) -> requests.Response:
        headers = {} if prefer is None else {"Prefer": prefer}
        try:
            return self._session.request(method, self.base + path, json=body, headers=headers, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise CommandError(f"No exchange answers at {self.base}.", "minex up", exit_code=NOT_RUNNING) from error

    def get(self, path: str) -> Any:
        """The body of a GET."""
        return self.call("GET", path).json()

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        query = "&" if "?" in path else "?"
        page = self.get(f"{path}{query}limit={PAGE}")
        yield from page["items"]
        while page["next_cursor"]:
            page = self.get(f"{path}{query}limit={PAGE}&cursor={page['next_cursor']}")
            yield from page["items"]


def _retry_after(answer: requests.Response) -> int:
    """The seconds (at least one) to wait before the request is sent again."""
    said = answer.headers.get("Retry-After", "")
    return max(1, int(said)) if said.isascii() and said.isdigit() else 1


def _problem(answer: requests.Response | dict[str, Any]) -> tuple[str, int, str, dict[str, Any]]:
    """The code, the status, the sentence and all members of a problem document."""
    status = 0 if isinstance(answer, dict) else answer.status_code
    try:
        problem = answer if isinstance(answer, dict) else answer.json()
        status, code = problem["status"], problem["code"]
        return code, status, f"{status} {code}: {problem['detail']}", problem
    except (ValueError, KeyError, TypeError):
        return "", status, "it was refused" if isinstance(answer, dict) else f"{status} {answer.reason}", {}
