"""What services run SQL on, whoever opened it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import TextClause

from database.results import Rows

NO_VALUES: Mapping[str, Any] = {}


Statement = tuple[TextClause, Mapping[str, Any]]
"""With the values that it is given."""


class Connected(Protocol):
    """Whatever has a pool's connection, as a Session has."""

    def connection(self) -> Any:
        """The connection."""


class Statements(Protocol):
    """A Session in its transaction, or an AutocommitSession."""

    def execute(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES, /) -> Any:
        """The rows that `statement` gives."""

    def scalar(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES, /) -> Any:
        """The first column of the first row, or None."""

    def scalars(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES, /) -> Any:
        """The first column of each row."""


class DirectSession(ABC):
    """Stands in for a Session where services execute text, past SQLAlchemy to the driver."""

    @abstractmethod
    def execute(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES) -> Rows:
        """The rows that `statement` gives. Raises SQLAlchemy's errors, as a Session would."""

    def scalar(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES) -> Any:
        """The first column of the first row, or None."""
        row = self.execute(statement, values).one_or_none()
        return None if row is None else row[0]

    def scalars(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES) -> Sequence[Any]:
        """The first column of each row."""
        return [row[0] for row in self.execute(statement, values)]


class AutocommitSession(DirectSession):
    """One in which each statement is committed when it answers."""

    @abstractmethod
    def execute_together(self, statements: Sequence[Statement]) -> list[Rows]:
        """The rows that each of these gives; they are one transaction, and one round trip."""

    @abstractmethod
    def refuse_uncertain(self) -> None:
        """Raises UncertainCommit when PostgreSQL warned at one of the commits."""


def execute_together(session: Statements, statements: Sequence[Statement]) -> Sequence[Any]:
    """The rows that each of these gives; they are all done or none, as far as the session's transaction is."""
    if isinstance(session, AutocommitSession):
        return session.execute_together(statements)
    return [session.execute(*each) for each in statements]
