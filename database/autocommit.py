"""Single statements, each a transaction of its own, past SQLAlchemy's Session to the driver.

What the API does for each request is one statement that finds a few rows by keys. Of the time that it took in Python,
three quarters were the Session's; here it takes the pool's connection and psycopg's cursor.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Engine, TextClause, event, text
from sqlalchemy.pool import PoolProxiedConnection

from database.errors import DIALECT, UncertainCommit, as_sqlalchemy, has_stale_plan
from database.results import Rows
from database.session import WARNINGS, pooled
from database.statements import NO_VALUES, AutocommitSession, Statement

Found = TypeVar("Found")


class PooledSession(AutocommitSession):
    """On a connection of a pool, which is taken when the first statement comes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None

    def execute(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES) -> Rows:
        """The rows that `statement` gives. Raises SQLAlchemy's errors, as a Session would."""
        return self._carried_out(statement, lambda driver: rows_of(driver, statement, values))

    def execute_together(self, statements: Sequence[Statement]) -> list[Rows]:
        """The rows that each of these gives; they are one transaction."""

        def one_after_the_other(driver: psycopg.Connection[Any]) -> list[Rows]:
            with driver.transaction():
                return [rows_of(driver, *each) for each in statements]

        return self._carried_out(statements[0][0], one_after_the_other)

    def _carried_out(self, statement: TextClause, work: Callable[[psycopg.Connection[Any]], Found]) -> Found:
        driver: Any = None
        try:
            if self._connection is None:
                self._connection = self._engine.raw_connection()
            driver = self._connection.driver_connection
            return work(driver)
        except psycopg.Error as error:
            lost = driver is not None and driver.closed  # without a connection nothing can have been done
            if lost:
                self._abandon_connection()
            if has_stale_plan(error):
                self._drop_connections()
            raise as_sqlalchemy(error, statement.text, lost=lost) from error
        except BaseException:
            self._abandon_connection()  # its answer is still on the way
            raise

    def refuse_uncertain(self) -> None:
        """Raises UncertainCommit when PostgreSQL warned at one of the commits."""
        warnings = self._connection.info[WARNINGS] if self._connection is not None else []
        if warnings:
            message = warnings[0]
            warnings.clear()
            raise UncertainCommit(message)

    def _drop_connections(self) -> None:
        """Let all connections of the pool be made anew: what one remembers wrongly, the others do, too."""
        self._abandon_connection()
        self._engine.dispose()

    def _abandon_connection(self) -> None:
        """Never use this connection again."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection = None

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()


@contextmanager
def autocommitting(engine: Engine) -> Iterator[PooledSession]:
    """A stand-in for a Session; `engine` must be `committing`. A connection is taken when the first statement comes."""
    session = PooledSession(engine)
    try:
        yield session
    finally:
        session.close()


def committing(url: str, *, pool_size: int = 5, application: str = "minex", **options: int | str) -> Engine:
    """An engine as `database.session.connect` makes it, whose connections commit each statement by itself.

    So there is never a transaction to be rolled back when one is given back.
    """
    engine = pooled(url, pool_size, application, options, resets=False, prepares=True)
    event.listen(engine, "connect", _commit_each_statement)
    return engine


def _commit_each_statement(connection: Any, record: Any) -> None:
    connection.autocommit = True


def rows_of(driver: psycopg.Connection[Any], statement: TextClause, values: Mapping[str, Any]) -> Rows:
    """What a statement gives on this connection. Raises psycopg's errors."""
    cursor = driver.cursor(row_factory=namedtuple_row)
    cursor.execute(_for_psycopg(statement.text), values)
    return Rows(cursor.fetchall()) if cursor.description else Rows()


@lru_cache(maxsize=256)
def _for_psycopg(statement: str) -> str:
    return str(text(statement).compile(dialect=DIALECT))
