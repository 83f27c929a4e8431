"""What greenlets have asked for on a shared connection, and what has come of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import psycopg
from gevent.hub import Waiter
from psycopg import pq

from database.errors import without_values

Query = tuple[bytes, Sequence[bytes | None]]
"""A statement with its parameters $1, $2 …, and their texts."""


class Request:
    """The statements of one greenlet."""

    __slots__ = ("aborted", "begun", "error", "preparing", "queries", "results", "waiter", "wanted", "warnings")

    def __init__(self, hub: Any, queries: Sequence[Query]) -> None:
        self.queries = queries
        self.waiter: Any = Waiter(hub)
        self.warnings: list[str] = []
        self.begun = 0
        """How often it has been sent."""
        self.begin()

    def begin(self) -> None:
        """Nothing of it has been sent yet."""
        self.begun += 1
        self.error: psycopg.Error | None = None
        self.wanted: deque[bool] = deque()
        """Of each answer to come, whether it is one of a statement: else of its preparation."""
        self.preparing: deque[bytes] = deque()
        """Statements whose preparation has not been answered yet."""
        self.results: list[Any] = []
        self.aborted = False
        """Whether PostgreSQL left it out, because of an error before it."""

    def take(self, result: Any) -> None:
        """The next answer: of a statement, of its preparation, or, after all of them, an error of the commit."""
        is_wanted = bool(self.wanted) and self.wanted.popleft()
        if result.status == pq.ExecStatus.FATAL_ERROR:
            self.error = self.error or without_values(psycopg.errors.error_from_result(result))
        elif result.status == pq.ExecStatus.PIPELINE_ABORTED:
            self.aborted = True
        elif is_wanted:
            self.results.append(result)
        elif result.status == pq.ExecStatus.COMMAND_OK:
            self.preparing.popleft()


class Batch:
    """Requests that left together, as one transaction; their answers come in the same order."""

    __slots__ = ("_at", "only_reads", "requests")

    def __init__(self, requests: Sequence[Request], *, only_reads: bool = False) -> None:
        """`only_reads`: they may be asked again."""
        self.requests = requests
        self.only_reads = only_reads
        self._at = 0

    @property
    def present(self) -> Request:
        """The request whose answers come next; the last one when all are there."""
        while self._at < len(self.requests) - 1 and not self.requests[self._at].wanted:
            self._at += 1
        return self.requests[self._at]

    def take(self, result: Any) -> None:
        """The next answer."""
        self.present.take(result)

    @property
    def unanswered(self) -> list[Request]:
        """Those that were left out because of the error of another."""
        return [request for request in self.requests if request.aborted and request.error is None]

    @property
    def unprepared(self) -> list[Request]:
        """Those who relied on a preparation that was left out itself; once, for then they prepare it themselves."""
        unknown = psycopg.errors.InvalidSqlStatementName
        return [request for request in self.requests if request.begun == 1 and isinstance(request.error, unknown)]
