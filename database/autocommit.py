"""Single statements, each a transaction of its own, past SQLAlchemy's Session to the driver.

What the API does for each request is one statement that finds a few rows by keys. Of the time that it took in Python,
three quarters were the Session's; here it takes the pool's connection and psycopg's cursor.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Engine, TextClause, event, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.pool import PoolProxiedConnection

from database.errors import UncertainCommit, has_stale_plan, without_values
from database.session import WARNINGS, pooled
from database.statements import NO_VALUES

DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Rows(list[Any]):
    """What a statement gave; each row is a named tuple. Has those of a Result's methods that services use."""

    def all(self) -> Sequence[Any]:
        """All rows."""
        return self

    def one_or_none(self) -> Any:
        """The one row, or None."""
        return self[0] if self else None

    def one(self) -> Any:
        """The one row. Raises NoResultFound."""
        if not self:
            raise NoResultFound("no row was found")
        return self[0]


class AutocommitSession:
    """Stands in for a Session where services execute text: each statement is committed when it answers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None

    def execute(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES) -> Rows:
        """The rows that `statement` gives. Raises SQLAlchemy's errors, as a Session would."""
        driver: Any = None
        try:
            if self._connection is None:
                self._connection = self._engine.raw_connection()
            driver = self._connection.driver_connection
            cursor = driver.cursor(row_factory=namedtuple_row)
            cursor.execute(_for_psycopg(statement.text), values)
            return Rows(cursor.fetchall()) if cursor.description else Rows()
        except psycopg.Error as error:
            without_values(error)
            lost = driver is not None and driver.closed  # without a connection nothing can have been done
            if lost:
                self._abandon_connection()
            if has_stale_plan(error):
                self._drop_connections()
            raise DBAPIError.instance(
                statement.text, None, error, psycopg.Error, connection_invalidated=lost, dialect=self._engine.dialect
            ) from error
        except BaseException:
            self._abandon_connection()  # its answer is still on the way
            raise

    def scalar(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES) -> Any:
        """The first column of the first row, or None."""
        row = self.execute(statement, values).one_or_none()
        return None if row is None else row[0]

    def scalars(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES) -> Sequence[Any]:
        """The first column of each row."""
        return [row[0] for row in self.execute(statement, values)]

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
def autocommitting(engine: Engine) -> Iterator[AutocommitSession]:
    """A stand-in for a Session; `engine` must be `committing`. A connection is taken when the first statement comes."""
    session = AutocommitSession(engine)
    try:
        yield session
    finally:
        session.close()


def committing(url: str, *, pool_size: int = 5, application: str = "minex", **options: int | str) -> Engine:
    """An engine as `database.session.connect` makes it, whose connections commit each statement by itself.

    So there is never a transaction to be rolled back when one is given back.
    """
    engine = pooled(url, pool_size, application, options, resets=False)
    event.listen(engine, "connect", _commit_each_statement)
    return engine


def _commit_each_statement(connection: Any, record: Any) -> None:
    connection.autocommit = True


@lru_cache(maxsize=256)
def _for_psycopg(statement: str) -> str:
    return str(text(statement).compile(dialect=DIALECT))
