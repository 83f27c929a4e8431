"""Requests to an exchange over kept connections, which are sent again where that can do nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import requests

from .errors import OutcomeUnknown, Refused, Unreachable
from .patience import Patience

Query = Mapping[str, Any]

TIMEOUT_SECONDS: Final = 30.0
PAGE: Final = 500
"""Items that are asked for at once; the exchange gives no more."""

TOO_MANY_REQUESTS: Final = 429
UNAVAILABLE: Final = 503
MAY_BE_DONE: Final = frozenset({500, 502, 504})
"""With these the exchange, or a proxy before it, has no answer: what was asked may have been done."""


class Transport:
    """One caller's way to the exchange at `url`, usable by several threads.

    `key` is an API key or an access token; without one only public data is to be had. A call waits `timeout` seconds
    for its answer, and is tried again for `patience` seconds; `on_wait` is told of each wait, its seconds and why.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        patience: float = 30.0,
        on_wait: Callable[[float, str], None] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.key = key
        self.timeout = timeout
        self.patience = patience
        self.on_wait = on_wait
        self._sessions = threading.local()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Query | None = None,
        prefer: str | None = None,
        *,
        repeatable: bool | None = None,
    ) -> requests.Response:
        """The answer to one request, whose status is one of success.

        It is sent again where the exchange is away or puts it off (429, 503). `repeatable` says that it may also be
        sent again where it may have been carried out, for nothing is done twice then; unless given, that holds for all
        methods but POST. Raises Refused, Unreachable, OutcomeUnknown.
        """
        repeatable = method != "POST" if repeatable is None else repeatable
        patience = self.new_patience()
        may_be_done = False
        while True:
            try:
                answer = self._send(method, path, body, query, prefer)
            except requests.RequestException as error:
                may_be_done |= method != "GET" and not _never_sent(error)
                if (may_be_done and not repeatable) or not patience.wait(str(error)):
                    raise self._without_answer(may_be_done, error) from error
                continue
            if answer.status_code < 400:
                return answer
            refused = Refused(answer.status_code, _problem(answer))
            may_be_done |= method != "GET" and _may_be_done(refused)
            if may_be_done and not repeatable:
                raise OutcomeUnknown(str(refused)) from refused
            if not may_pass(answer.status_code, refused.code):
                raise refused
            if not patience.wait(str(refused), _retry_after(answer)):
                raise (OutcomeUnknown(str(refused)) if may_be_done else refused) from refused

    def new_patience(self) -> Patience:
        """That of one call."""
        return Patience(self.patience, tell=self.on_wait)

    def get(self, path: str, **query: Any) -> Any:
        """The body of a GET; None leaves a parameter out, a list repeats it."""
        return self.call("GET", path, query=query).json()

    def items(self, path: str, limit: int | None = None, **query: Any) -> Iterator[Any]:
        """The items of a list, page by page: all, or `limit` of them."""
        cursor, left = None, limit
        while left is None or left > 0:
            page = self.get(path, **query, limit=PAGE if left is None else min(left, PAGE), cursor=cursor)
            yield from page["items"]
            left = None if left is None else left - len(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def close(self) -> None:
        """Give this thread's connections up."""
        session = getattr(self._sessions, "kept", None)
        if session is not None:
            session.close()
            del self._sessions.kept

    def _send(self, method: str, path: str, body: Any, query: Query | None, prefer: str | None) -> requests.Response:
        session = getattr(self._sessions, "kept", None)
        if session is None:
            session = self._sessions.kept = requests.Session()
        headers = {"Accept": "application/json"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        if prefer is not None:
            headers["Prefer"] = prefer
        answer: requests.Response = session.request(
            method, f"{self.url}/api/v1{path}", params=_given(query), json=body, headers=headers, timeout=self.timeout
        )
        if not _is_whole(answer):
            raise requests.ConnectionError("the answer was cut off")
        return answer

    def _without_answer(self, may_be_done: bool, error: Exception) -> Exception:
        if may_be_done:
            return OutcomeUnknown(f"the answer of {self.url} was lost: {error}")
        return Unreachable(f"no exchange answers at {self.url}: {error}")


def _is_whole(answer: requests.Response) -> bool:
    """Whether all of it came: Python takes the end of a connection for the end of a head, and then of an empty body."""
    if answer.status_code == HTTPStatus.NO_CONTENT:
        return True
    return "Content-Length" in answer.headers or "Transfer-Encoding" in answer.headers


def _given(query: Query | None) -> list[tuple[str, str]]:
    """The parameters that are not None; those of a list several times."""
    found: list[tuple[str, str]] = []
    for name, value in (query or {}).items():
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        found += [(name, str(one).lower() if isinstance(one, bool) else str(one)) for one in values if one is not None]
    return found


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the exchange cannot have got the request: there was no connection to send it over."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectionError) and type(reason).__name__ in {
        "NewConnectionError",
        "NameResolutionError",
    }


def _may_be_done(refused: Refused) -> bool:
    """Whether what was asked may have been done all the same."""
    return refused.status in MAY_BE_DONE or refused.code == "outcome_unknown"


def may_pass(status: int, code: str) -> bool:
    """Whether the same request may be taken later. An earlier amendment that waits will have been taken soon."""
    return status in {TOO_MANY_REQUESTS, UNAVAILABLE, *MAY_BE_DONE} or code == "amendment_waiting"


def _retry_after(answer: requests.Response) -> float | None:
    """The seconds that the exchange asks for; None where it asks for nothing."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() else None


def _problem(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {"detail": answer.reason}
    return found if isinstance(found, dict) else {"detail": answer.reason}
