"""A broker's way into a running exchange, for commands: REST by one kept connection, errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests

from cli.exits import NOT_RUNNING, REFUSED
from cli.terminal import CommandError

TIMEOUT_SECONDS = 30
PAGE = 500


class ExchangeClient:
    """One broker's connection to the exchange at `url`."""

    def __init__(self, url: str, api_key: str) -> None:
        self.base = f"{url.rstrip('/')}/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    def call(self, method: str, path: str, body: Any = None, prefer: str | None = None) -> requests.Response:
        """One request. Raises CommandError where nobody answers, or the exchange refuses."""
        headers = {} if prefer is None else {"Prefer": prefer}
        try:
            answer = self._session.request(
                method, self.base + path, json=body, headers=headers, timeout=TIMEOUT_SECONDS
            )
        except requests.RequestException as error:
            raise CommandError(f"No exchange answers at {self.base}.", "minex up", exit_code=NOT_RUNNING) from error
        if answer.status_code >= 400:
            raise CommandError(f"{method} {path}: {_reason(answer)}", exit_code=REFUSED)
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


def _reason(answer: requests.Response) -> str:
    try:
        problem = answer.json()
        return f"{problem['status']} {problem['code']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.reason}"
