"""Several statements in one round trip, on a session's connection and in its transaction.

A turn of a worker is a dozen statements of a few rows each: what it costs is the way to the server and back, and the
making of parameters. So this goes past SQLAlchemy and psycopg's cursors to libpq's pipeline mode; lists travel as array
literals. Statements name their parameters $1, $2 …
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.waiting import Ready, Wait

from database.errors import as_sqlalchemy, has_stale_plan
from database.literals import parameter
from database.results import Reader, Rows
from database.session import forget_warnings, refuse_uncertain
from database.transaction import Transaction

NUMBERS = count(1)


class Answer:
    """The rows that a statement gives, once the block is over in which it was sent."""

    __slots__ = ("_reader", "result")

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.result: Any = None

    def __iter__(self) -> Iterator[Any]:
        """All rows, by name."""
        return iter(Rows() if self.result is None else self._reader.rows(self.result))


class _Known:
    """What is remembered of a connection: how its prepared statements are called, and how to read its results."""

    def __init__(self) -> None:
        self.names: dict[str, bytes] = {}
        self.reader = Reader()


KNOWN: WeakKeyDictionary[psycopg.Connection[Any], _Known] = WeakKeyDictionary()


class Pipeline:
    """Statements are carried out in the order in which they are sent, each seeing what was committed by then."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._pgconn = driver.pgconn
        known = KNOWN.get(driver)
        if known is None:
            known = KNOWN[driver] = _Known()
        self._known = known
        self._preparing: list[str] = []
        self._sent: deque[Answer | None] = deque()
        """For each answer to come; None where it is that of a preparation."""

    def send(self, statement: str, *values: str | None) -> Answer:
        """Put a statement on its way; it is prepared the first time. All values are literals of their types."""
        parameters = [parameter(value) for value in values]
        name = self._known.names.get(statement)
        if name is None:
            name = self._known.names[statement] = b"pipeline%d" % next(NUMBERS)
            self._preparing.append(statement)
            self._pgconn.send_prepare(name, statement.encode())
            self._sent.append(None)
        self._pgconn.send_query_prepared(name, parameters)
        answer = Answer(self._known.reader)
        self._sent.append(answer)
        return answer

    def finish(self, meanwhile: Callable[[], None] | None) -> PQGen[None]:
        """Let everything leave, with one Sync behind it, and take the answers. Raises the first error.

        `meanwhile` is done while PostgreSQL works; what it raises is raised when the answers are here. Nothing follows
        the Sync: PostgreSQL's clock for transactions that idle stops at a Flush and does not start again, so a worker
        that hangs would keep its locks for ever.
        """
        self._pgconn.pipeline_sync()
        while self._pgconn.flush():  # both sides would wait for ever if nothing were read meanwhile
            if (yield Wait.RW) & Ready.R:
                self._pgconn.consume_input()
        broken: Exception | None = None
        if meanwhile is not None:
            try:
                meanwhile()
            except Exception as error:  # noqa: BLE001 - the answers must be taken all the same
                broken = error
        failed = yield from self._answers()
        if failed is not None:
            for statement in self._preparing:  # the error may have come before they were prepared
                self._known.names.pop(statement, None)
            raise psycopg.errors.error_from_result(failed)
        if broken is not None:
            raise broken

    def _answers(self) -> PQGen[Any]:
        """Take all answers; the first that is an error."""
        pgconn, failed = self._pgconn, None
        while True:
            while pgconn.is_busy():
                yield Wait.R
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                if pgconn.status == ConnStatus.BAD:
                    raise psycopg.OperationalError(f"the connection is lost: {pgconn.get_error_message()}")
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return failed
            answer = self._sent.popleft() if self._sent else None
            if result.status == ExecStatus.FATAL_ERROR:
                failed = failed or result
            elif answer is not None:
                answer.result = result


@contextmanager
def pipeline(session: Transaction, meanwhile: Callable[[], None] | None = None) -> Iterator[Pipeline]:
    """A pipeline; at the end of the block everything sent has been carried out. Answers are read after it.

    `meanwhile` is done while PostgreSQL works. Raises SQLAlchemy's errors, as if the session itself had executed the
    statements.
    """
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    begins = driver.info.transaction_status == TransactionStatus.IDLE
    try:
        driver.pgconn.enter_pipeline_mode()
        try:
            sent = Pipeline(driver)
            if begins:
                sent.send("BEGIN")
            try:
                yield sent
            except BaseException:
                driver.wait(sent.finish(None))
                raise
            driver.wait(sent.finish(meanwhile))
        finally:
            if not driver.closed:
                driver.pgconn.exit_pipeline_mode()
    except psycopg.Error as error:
        lost = driver.closed or has_stale_plan(error)
        if lost:
            connection.invalidate(error)
        raise as_sqlalchemy(error, None, lost=lost) from error


@contextmanager
def committing_pipeline(session: Transaction, meanwhile: Callable[[], None] | None = None) -> Iterator[Pipeline]:
    """A pipeline with COMMIT as its last statement: an error of one before it makes PostgreSQL commit nothing.

    Nobody who waits for what it locks waits for us to say COMMIT. The session has nothing left to commit when its
    transaction ends. Raises UncertainCommit when PostgreSQL warned.
    """
    forget_warnings(session)
    with pipeline(session, meanwhile) as sent:
        yield sent
        sent.send("COMMIT")
    refuse_uncertain(session)
