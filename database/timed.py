"""Connections to PostgreSQL that give up on a server process that never answers.

PostgreSQL bounds its own statements, but a server process that is stopped, or behind a broken network, runs no clock.
"""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from sqlalchemy import Engine, event

from database.statements import Connected

Done = TypeVar("Done")


class Unanswered(psycopg.OperationalError):
    """PostgreSQL did not answer in time. The connection is closed; what was asked for may yet be done."""

    @classmethod
    def after(cls, seconds: float) -> "Unanswered":
        """The same, with how long it has been waited for."""
        return cls(f"PostgreSQL has not answered for {seconds:g} s, the connection is given up")


class TimedConnection(psycopg.Connection[Any]):
    """Raises Unanswered when an answer takes longer than `answer_seconds`; 0 is for ever."""

    answer_seconds: float = 0

    def wait(self, gen: PQGen[Done], interval: float = 0.1, timeout: float | None = None) -> Done:
        """Let `gen` go on whenever it can."""
        if timeout is not None or not self.answer_seconds:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_seconds)
        except _WaitTimeout as error:
            raise self.given_up() from error

    def given_up(self) -> Unanswered:
        """Close the connection; what is to be raised."""
        self.close()
        return Unanswered.after(self.answer_seconds)


def timed(engine: Engine, seconds: float, kind: type[TimedConnection] = TimedConnection) -> Engine:
    """Let every connection of a new `engine` be of this `kind` and give up after so many seconds."""

    def connect(dialect: Any, record: Any, arguments: Any, options: Any) -> TimedConnection:
        connection = kind.connect(*arguments, **options)
        connection.answer_seconds = seconds
        return connection

    event.listen(engine, "do_connect", connect)
    return engine


def answer_within(session: Connected, seconds: float) -> None:
    """From now on, answers on the session's connection may take so long."""
    driver: Any = session.connection().connection.driver_connection
    driver.answer_seconds = seconds
