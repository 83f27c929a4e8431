"""What services run SQL on, whoever opened it."""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import TextClause

NO_VALUES: Mapping[str, Any] = {}


class Statements(Protocol):
    """A Session in its transaction, or an AutocommitSession, which commits each statement by itself."""

    def execute(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES, /) -> Any:
        """The rows that `statement` gives."""

    def scalar(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES, /) -> Any:
        """The first column of the first row, or None."""

    def scalars(self, statement: TextClause, values: Mapping[str, Any] = NO_VALUES, /) -> Any:
        """The first column of each row."""
