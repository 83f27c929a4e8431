"""One connection to PostgreSQL for the statements of many greenlets.

Each request's statements leave at once, in libpq's pipeline mode and as a transaction of their own, and the answers
come in the same order. So nobody waits for a free connection, nothing is begun or committed apart, and a statement
costs a quarter of what a cursor on a pool's connection does. Whoever comes later waits for all who came before: it is
for statements that find a few rows by their keys.
"""

from __future__ import annotations

import fcntl
import termios
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from gevent import get_hub
from psycopg import pq

from database.errors import ConnectionLost
from database.results import Reader, Rows
from database.shared_request import Request
from database.timed import Unanswered

READ, WRITE = 1, 2

Query = tuple[bytes, Sequence[bytes | None]]
"""A statement with its parameters $1, $2 …, and their texts."""


class SharedConnection:
    """All who use it are greenlets of the thread that made it."""

    def __init__(self, connection: psycopg.Connection[Any], answer_seconds: float) -> None:
        """`answer_seconds`: how long nothing may be heard while somebody waits, before it is given up."""
        self._connection = connection
        self._pgconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        connection.add_notice_handler(self._keep_warning)
        self._answer_seconds = answer_seconds
        self._reader = Reader()
        self._names: dict[bytes, bytes] = {}
        self._named = 0
        self._waiting: deque[Request] = deque()
        self._hub = get_hub()
        loop: Any = self._hub.loop
        self._readable = loop.io(self._pgconn.socket, READ)
        self._readable.priority = loop.MAXPRI  # what is under way goes on before anything new begins
        self._writable = loop.io(self._pgconn.socket, WRITE)
        self._clock = loop.timer(0, answer_seconds)
        self._readable.start(self._receive)
        self.usable = True
        """False when it is not to be given to anybody any more."""
        self._closed = False

    def __len__(self) -> int:
        """How many wait for an answer."""
        return len(self._waiting)

    def ask(self, queries: Sequence[Query]) -> tuple[list[Rows], list[str]]:
        """The rows of each statement, and PostgreSQL's warnings; all of them are one transaction, committed by now.

        Raises psycopg's errors; ConnectionLost and Unanswered leave open whether it was done.
        """
        request = Request(self._hub)
        try:
            for statement, values in queries:
                self._pgconn.send_query_prepared(self._name_of(statement, request), values)
                request.wanted.append(True)
            self._pgconn.pipeline_sync()
        except psycopg.Error as error:
            self._break(error)
            raise ConnectionLost(str(error)) from error
        self._waiting.append(request)
        if len(self._waiting) == 1:
            self._clock.again(self._give_up)
        self._flush()
        request.waiter.get()
        if request.error is not None:
            for statement in request.preparing:  # the error was theirs, or came before them
                self._names.pop(statement, None)
            raise request.error
        return [self._reader.rows(result) for result in request.results], request.warnings

    def is_cut(self) -> bool:
        """True if PostgreSQL has ended it while nobody used it: a farewell or an end can be read."""
        if self._waiting:
            return False
        spoken = array("i", [0])
        try:
            fcntl.ioctl(self._pgconn.socket, termios.FIONREAD, spoken)
            self._pgconn.consume_input()
        except (OSError, psycopg.Error):
            return True
        return bool(spoken[0]) or self._pgconn.status == pq.ConnStatus.BAD

    def retire(self) -> None:
        """Let nobody else use it, and close it when those who wait have their answers."""
        self.usable = False
        if not self._waiting:
            self.close()

    def close(self, error: Callable[[], psycopg.Error] = lambda: ConnectionLost("it was closed")) -> None:
        """Close the connection; those who wait get an error."""
        if self._closed:
            return
        self.usable, self._closed = False, True
        for watcher in (self._readable, self._writable, self._clock):
            watcher.stop()
            watcher.close()
        self._connection.close()
        waiting, self._waiting = self._waiting, deque()
        for request in waiting:
            request.error = error()
            request.waiter.switch(None)

    def _name_of(self, statement: bytes, request: Request) -> bytes:
        name = self._names.get(statement)
        if name is None:
            self._named += 1
            name = self._names[statement] = b"shared%d" % self._named
            request.preparing.append(statement)
            self._pgconn.send_prepare(name, statement)
            request.wanted.append(False)
        return name

    def _flush(self) -> None:
        """Send what has not left yet; what the socket does not take at once leaves when it can."""
        if self._closed:
            return
        try:
            if self._pgconn.flush():
                self._writable.start(self._flush)
            else:
                self._writable.stop()
        except psycopg.Error as error:
            self._break(error)

    def _receive(self) -> None:
        """Take what has arrived, and let those go on who waited for it. Runs in the hub."""
        try:
            self._pgconn.consume_input()
            while self._waiting and not self._pgconn.is_busy():
                self._take(self._pgconn.get_result())
            if self._pgconn.status == pq.ConnStatus.BAD:
                self._break(psycopg.OperationalError("the server closed it"))
        except psycopg.Error as error:
            self._break(error)

    def _take(self, result: Any) -> None:
        """One answer of the first in line, or the end of his answers."""
        if result is None:
            return
        request = self._waiting[0]
        if result.status != pq.ExecStatus.PIPELINE_SYNC:
            request.take(result)
            return
        self._waiting.popleft()
        if self._waiting:
            self._clock.again(self._give_up)
        else:
            self._clock.stop()
        self._wake(request)

    def _wake(self, request: Request) -> None:
        if not self.usable and not self._waiting:
            self.close()
        request.waiter.switch(None)

    def _give_up(self) -> None:
        self.close(lambda: Unanswered.after(self._answer_seconds))

    def _break(self, error: psycopg.Error) -> None:
        """It is of no use any more. What the server said last is the better reason."""
        said = self._waiting[0].error if self._waiting else None
        reason = str(said or error).strip()
        self.close(lambda: ConnectionLost(reason))

    def _keep_warning(self, notice: Any) -> None:
        if notice.severity_nonlocalized == "WARNING" and self._waiting:
            self._waiting[0].warnings.append(notice.message_primary)
