"""A broker's way into a running exchange, for commands: REST by one kept connection, errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests

from cli.exits import NOT_RUNNING, REFUSED
from cli.terminal import CommandError

TIMEOUT_SECONDS = 30
PAGE = 500


class Refused(CommandError):
    """The exchange refused a request. `problem` is its code, such as `insufficient_shares`; empty if it gave none."""

    def __init__(self, what: str, answer: requests.Response | dict[str, Any], *mend: str) -> None:
        self.problem, reason = _problem(answer)
        super().__init__(f"{what}: {reason}", *mend, exit_code=REFUSED)


class ExchangeClient:
    """One broker's, or the administrator's, connection to the exchange at `url`."""

    def __init__(self, url: str, api_key: str) -> None:
        self.base = f"{url.rstrip('/')}/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    def call(self, method: str, path: str, body: Any = None, prefer: str | None = None) -> requests.Response:
        """One request. Raises CommandError where nobody answers, `Refused` where the exchange refuses."""
        headers = {} if prefer is None else {"Prefer": prefer}
        try:
            answer = self._session.request(
                method, self.base + path, json=body, headers=headers, timeout=TIMEOUT_SECONDS
            )
        except requests.RequestException as error:
            raise CommandError(f"No exchange answers at {self.base}.", "minex up", exit_code=NOT_RUNNING) from error
        if answer.status_code >= 400:
            raise Refused(f"{method} {path}", answer)
        return answer

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


def _problem(answer: requests.Response | dict[str, Any]) -> tuple[str, str]:
    """The code of a problem document, and the problem in words."""
    try:
        problem = answer if isinstance(answer, dict) else answer.json()
        return problem["code"], f"{problem['status']} {problem['code']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return "", "it was refused" if isinstance(answer, dict) else f"{answer.status_code} {answer.reason}"
