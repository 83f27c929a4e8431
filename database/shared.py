"""A connection that all requests share, and a stand-in for a Session whose statements go over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Self, cast

import psycopg
from gevent.lock import BoundedSemaphore
from sqlalchemy import Engine, TextClause, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from database.errors import ConnectionLost, UncertainCommit, as_sqlalchemy, has_stale_plan
from database.literals import parameter, text_of
from database.results import Rows
from database.shared_connection import SharedConnection
from database.shared_request import Query
from database.statements import NO_VALUES, AutocommitSession, Statement
from database.timed import Unanswered

NUMBERED: Any = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class SharedLink:
    """A shared connection to a database, opened when it is needed, and anew when it was lost."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        answer_seconds: float,
        answered: Callable[[], None] = lambda: None,
        *,
        only_reads: bool = False,
    ) -> None:
        """`connect` opens a connection that commits each statement; `answered` is called by whoever has his answer.

        `only_reads`: nothing is stored, so that statements may share their transactions.
        """
        self._connect = connect
        self._answer_seconds = answer_seconds
        self._answered = answered
        self._only_reads = only_reads
        self._opening = BoundedSemaphore()
        self._connection: SharedConnection | None = None

    def session(self) -> SharedSession:
        """A stand-in for a Session, also for `with`: there is nothing to be closed."""
        return SharedSession(self)

    def ask(self, queries: Sequence[Query]) -> tuple[list[Rows], list[str]]:
        """The rows of each statement, and the warnings; see `SharedConnection.ask`."""
        connection = self._usable()
        while connection is None:
            with self._opening:
                if (connection := self._usable()) is None:
                    self._connection = SharedConnection(self._connect(), self._answer_seconds)
        found = connection.ask(queries, only_reads=self._only_reads)
        self._answered()
        return found

    def renew(self) -> None:
        """Use the connection no longer than for what is under way: it remembers plans of before a migration."""
        if self._connection is not None:
            self._connection.retire()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _usable(self) -> SharedConnection | None:
        connection = self._connection
        if connection is not None and connection.usable and connection.is_cut():
            connection.close()
        return connection if connection is not None and connection.usable else None


class SharedSession(AutocommitSession):
    """Its statements go over the shared connection, among those of others."""

    def __init__(self, link: SharedLink) -> None:
        self._link = link
        self._warnings: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def execute(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES) -> Rows:
        """The rows that `statement` gives. Raises SQLAlchemy's errors, as a Session would."""
        (rows,) = self.execute_together([(statement, values)])
        return rows

    def execute_together(self, statements: Sequence[Statement]) -> list[Rows]:
        """The rows that each of them gives; they are one transaction."""
        try:
            found, warnings = self._link.ask([_query(*each) for each in statements])
        except psycopg.Error as error:
            if has_stale_plan(error):
                self._link.renew()
            lost = isinstance(error, ConnectionLost | Unanswered)  # else it never left, or PostgreSQL refused it
            raise as_sqlalchemy(error, statements[0][0].text, lost=lost) from error
        self._warnings += warnings
        return found

    def refuse_uncertain(self) -> None:
        """Raises UncertainCommit when PostgreSQL warned at one of the commits."""
        if self._warnings:
            raise UncertainCommit(self._warnings.pop(0))


def alone(engine: Engine) -> psycopg.Connection[Any]:
    """A connection as those of the engine's pool, which does not count it any more. Raises psycopg's errors."""
    connection = engine.raw_connection()
    driver: psycopg.Connection[Any] = cast(Any, connection.driver_connection)
    connection.detach()
    return driver


def _query(statement: TextClause, values: Mapping[str, Any]) -> Query:
    numbered, names = _numbered(statement.text)
    return numbered, [parameter(text_of(values[name])) for name in names]


@lru_cache(maxsize=256)
def _numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with $1, $2 … for its names, and the names in that order."""
    compiled = text(statement).compile(dialect=NUMBERED)
    return str(compiled).encode(), tuple(compiled.positiontup or ())
