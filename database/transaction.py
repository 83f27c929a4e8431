"""A transaction on a pool's connection without SQLAlchemy's Session: for turns, of which there are hundreds a second.

To begin, commit and close a Session takes as long in Python as to match a few orders. Here the pool's connection is
taken, and nothing else; a turn's own statements say BEGIN and COMMIT (`database.pipeline`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, TextClause
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from database.autocommit import rows_of
from database.errors import UncertainCommit, as_sqlalchemy, has_stale_plan
from database.results import Rows
from database.session import WARNINGS
from database.statements import NO_VALUES, DirectSession


class Held:
    """The connection of a transaction, as `Session.connection()` has it, for those who go to the driver."""

    __slots__ = ("connection",)

    def __init__(self, connection: PoolProxiedConnection) -> None:
        self.connection = connection

    def invalidate(self, error: BaseException) -> None:
        """The pool is to replace it."""
        self.connection.invalidate(error)


class DirectTransaction(DirectSession):
    """One in a transaction. The first statement takes the connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: Held | None = None

    def connection(self) -> Held:
        """The transaction's connection. Raises SQLAlchemy's errors when there is none."""
        if self._held is None:
            try:
                self._held = Held(self._engine.raw_connection())
            except psycopg.Error as error:
                raise as_sqlalchemy(error, None, lost=False) from error
        return self._held

    def execute(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES) -> Rows:
        """The rows that `statement` gives. Raises SQLAlchemy's errors, as a Session would."""
        held = self.connection()
        driver: Any = held.connection.driver_connection
        try:
            return rows_of(driver, statement, values)
        except psycopg.Error as error:
            lost = driver.closed or has_stale_plan(error)
            if lost:
                held.invalidate(error)
            raise as_sqlalchemy(error, statement.text, lost=lost) from error

    def commit(self) -> None:
        """Commit, unless a statement has done so. Raises UncertainCommit when PostgreSQL warned."""
        if self._held is None or not self._is_open():
            return
        warnings: list[str] = self._held.connection.info[WARNINGS]
        warnings.clear()
        driver: Any = self._held.connection.driver_connection
        try:
            driver.commit()
        except psycopg.Error as error:
            raise as_sqlalchemy(error, "COMMIT", lost=driver.closed) from error
        if warnings:
            raise UncertainCommit(warnings[0])

    def close(self) -> None:
        """Give the connection back; the pool rolls back what is not committed."""
        if self._held is not None:
            self._held.connection.close()

    def _is_open(self) -> bool:
        driver: Any = self._held.connection.driver_connection if self._held else None
        return driver is not None and driver.info.transaction_status != TransactionStatus.IDLE


Transaction = Session | DirectTransaction
"""What has a connection and a transaction on it."""


@contextmanager
def direct_transaction(engine: Engine) -> Iterator[DirectTransaction]:
    """Committed at the end of the block, where a statement has not done so; rolled back when it raises."""
    session = DirectTransaction(engine)
    try:
        yield session
        session.commit()
    finally:
        session.close()
