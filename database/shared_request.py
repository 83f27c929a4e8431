"""What one greenlet has asked for on a shared connection, and what has come of it."""

from __future__ import annotations

from collections import deque
from typing import Any

import psycopg
from gevent.hub import Waiter
from psycopg import pq

from database.errors import without_values


class Request:
    """Statements under way."""

    __slots__ = ("error", "preparing", "results", "waiter", "wanted", "warnings")

    def __init__(self, hub: Any) -> None:
        self.waiter: Any = Waiter(hub)
        self.wanted: deque[bool] = deque()
        """Of each answer to come, whether it is one of a statement: else of its preparation."""
        self.preparing: deque[bytes] = deque()
        """Statements whose preparation has not been answered yet."""
        self.results: list[Any] = []
        self.warnings: list[str] = []
        self.error: psycopg.Error | None = None

    def take(self, result: Any) -> None:
        """The next answer: of a statement, of its preparation, or, after all of them, an error of the commit."""
        is_wanted = bool(self.wanted) and self.wanted.popleft()
        if result.status == pq.ExecStatus.FATAL_ERROR:
            self.error = self.error or without_values(psycopg.errors.error_from_result(result))
        elif is_wanted:
            self.results.append(result)
        elif result.status == pq.ExecStatus.COMMAND_OK:
            self.preparing.popleft()
