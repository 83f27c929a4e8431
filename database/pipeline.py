"""Several statements in one round trip, on a session's connection and in its transaction.

A turn of a worker is a dozen statements of a few rows each: what it costs is the way to the server and back, and the
making of parameters. So this goes past SQLAlchemy to psycopg's pipeline, and lists travel as array literals, which
Python writes ten times faster than psycopg dumps lists. Statements name their parameters $1, $2 …
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from psycopg.waiting import Ready, Wait
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from database.errors import has_stale_plan, without_values
from database.session import forget_warnings, refuse_uncertain


class Answer:
    """The rows that a statement gives, once the block is over in which it was sent."""

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    def __iter__(self) -> Iterator[Any]:
        """All rows, by name."""
        return iter(self._cursor.fetchall())


class Pipeline:
    """Statements are carried out in the order in which they are sent, each seeing what was committed by then."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._driver = driver

    def send(self, statement: str, *values: str | None) -> Answer:
        """Put a statement on its way; it is prepared the first time. All values are literals of their types."""
        cursor = psycopg.RawCursor(self._driver, row_factory=namedtuple_row)
        cursor.execute(statement.encode(), values, prepare=True)
        return Answer(cursor)


class _OneRoundTrip(psycopg.Pipeline):
    """Everything leaves at the end of the block, and nothing follows the Sync that ends it.

    psycopg looks for answers after each statement, and sends a Flush after the Sync when some are still on their way:
    PostgreSQL's clock for transactions that idle stops at that Flush and does not start again, so a worker that hangs
    would keep its locks for ever.
    """

    _ending = False

    def _communicate_gen(self) -> PQGen[None]:
        if self._ending:
            yield from super()._communicate_gen()

    def _exit_gen(self) -> PQGen[None]:
        self._ending = True
        self._enqueue_sync()
        try:
            yield from self._communicate_gen()
            yield from self._send_the_rest()
        except psycopg.Error:
            with suppress(psycopg.Error):
                yield from self._fetch_gen(flush=False)
            raise
        yield from self._fetch_gen(flush=False)

    def _send_the_rest(self) -> PQGen[None]:
        """Wait until everything has left: psycopg sends what fits, then waits for answers to what it did not send."""
        while self.pgconn.flush():
            ready = yield Wait.RW
            if ready & Ready.R:
                self.pgconn.consume_input()


@contextmanager
def pipeline(session: Session) -> Iterator[Pipeline]:
    """A pipeline; at the end of the block everything sent has been carried out. Answers are read after it.

    Raises SQLAlchemy's errors, as if the session itself had executed the statements.
    """
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    begins = driver.info.transaction_status == TransactionStatus.IDLE
    try:
        driver._pipeline = _OneRoundTrip(driver)
        driver._autocommit = True  # psycopg would begin with each statement until the first answer is here
        with driver.pipeline():
            sent = Pipeline(driver)
            if begins:
                sent.send("BEGIN")
            yield sent
    except psycopg.Error as error:
        without_values(error)
        lost = driver.closed or has_stale_plan(error)
        if lost:
            connection.invalidate(error)
        raised = DBAPIError.instance(
            None, None, error, psycopg.Error, connection_invalidated=lost, dialect=connection.dialect
        )
        raise raised from error
    finally:
        driver._autocommit = False


@contextmanager
def committing_pipeline(session: Session) -> Iterator[Pipeline]:
    """A pipeline with COMMIT as its last statement: an error of one before it makes PostgreSQL commit nothing.

    Nobody who waits for what it locks waits for us to say COMMIT. The session has nothing left to commit when its
    transaction ends. Raises UncertainCommit when PostgreSQL warned.
    """
    forget_warnings(session)
    with pipeline(session) as sent:
        yield sent
        sent.send("COMMIT")
    refuse_uncertain(session)
