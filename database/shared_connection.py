"""One connection to PostgreSQL for the statements of many greenlets.

Each request's statements leave at once, in libpq's pipeline mode and as a transaction of their own, and the answers
come in the same order. So nobody waits for a free connection, nothing is begun or committed apart, and a statement
costs a quarter of what a cursor on a pool's connection does. Whoever comes later waits for all who came before: it is
for statements that find a few rows by their keys.

Requests that only read leave together with those of all greenlets whose turn it is at the same moment: one way to
PostgreSQL and one transaction for all of them. Each statement sees what is committed when it begins, as it would by
itself; where one fails, those behind it are asked again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from gevent import get_hub
from psycopg import pq

from database.cut import is_cut
from database.errors import ConnectionLost
from database.prepared import Prepared
from database.results import Reader, Rows
from database.shared_request import Batch, Query, Request
from database.timed import Unanswered

READ, WRITE = 1, 2


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
        self._prepared = Prepared(self._pgconn)
        self._waiting: deque[Batch] = deque()
        self._gathered: list[Request] = []
        """What is to leave together as soon as nobody else has anything to add."""
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
        return sum(len(batch.requests) for batch in self._waiting) + len(self._gathered)

    def ask(self, queries: Sequence[Query], *, only_reads: bool = False) -> tuple[list[Rows], list[str]]:
        """The rows of each statement, and PostgreSQL's warnings; all of them are one transaction, committed by now.

        `only_reads`: it may share that transaction with others, and be asked again.
        Raises psycopg's errors; ConnectionLost and Unanswered leave open whether it was done.
        """
        request = Request(self._hub, queries)
        if only_reads:
            self._gather([request])
        else:
            self._send(Batch([request]))
        request.waiter.get()
        if request.error is not None:
            raise request.error
        statements = [statement for statement, _ in queries]
        return list(map(self._reader.rows, request.results, statements)), request.warnings

    def is_cut(self) -> bool:
        """True if PostgreSQL has ended it while nobody used it."""
        return not self and is_cut(self._pgconn)

    def retire(self) -> None:
        """Let nobody else use it, and close it when those who wait have their answers."""
        self.usable = False
        if not self:
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
        waiting = [request for batch in self._waiting for request in batch.requests] + self._gathered
        self._waiting, self._gathered = deque(), []
        for request in waiting:
            request.error = error()
            request.waiter.switch(None)

    def _gather(self, requests: Sequence[Request]) -> None:
        """Send these with whatever else comes before the loop goes on."""
        if not self._gathered:
            self._hub.loop.run_callback(self._send_gathered)
        self._gathered += requests

    def _send_gathered(self) -> None:
        requests, self._gathered = self._gathered, []
        if requests:
            self._send(Batch(requests, only_reads=True))

    def _send(self, batch: Batch) -> None:
        """Send the statements of these as one transaction."""
        self._waiting.append(batch)
        try:
            for request in batch.requests:
                for statement, values in request.queries:
                    self._pgconn.send_query_prepared(self._prepared.name_of(statement, request), values)
                    request.wanted.append(True)
            self._pgconn.pipeline_sync()
        except psycopg.Error as error:
            self._break(error)
            return
        if len(self._waiting) == 1:
            self._clock.again(self._give_up)
        self._flush()

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
        batch = self._waiting[0]
        if result.status != pq.ExecStatus.PIPELINE_SYNC:
            batch.take(result)
            return
        self._waiting.popleft()
        if self._waiting:
            self._clock.again(self._give_up)
        else:
            self._clock.stop()
        self._finish(batch)

    def _finish(self, batch: Batch) -> None:
        """Let those go on who have their answers, and ask again for those who were left out."""
        again = batch.unanswered
        for request in batch.requests:
            self._prepared.forget(request.preparing)  # an error was theirs, or came before them
        if batch.only_reads:
            again += batch.unprepared
        for request in again:
            request.begin()
        if again:
            self._gather(again)
        elif not self.usable and not self:
            self.close()
        for request in batch.requests:
            if request not in again:
                request.waiter.switch(None)

    def _give_up(self) -> None:
        self.close(lambda: Unanswered.after(self._answer_seconds))

    def _break(self, error: psycopg.Error) -> None:
        """It is of no use any more. What the server said last is the better reason."""
        said = self._waiting[0].present.error if self._waiting else None
        reason = str(said or error).strip()
        self.close(lambda: ConnectionLost(reason))

    def _keep_warning(self, notice: Any) -> None:
        if notice.severity_nonlocalized == "WARNING" and self._waiting:
            self._waiting[0].present.warnings.append(notice.message_primary)
