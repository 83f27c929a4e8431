"""Values as PostgreSQL reads them: the text of each, lists as array literals.

Python writes an array literal ten times faster than psycopg dumps a list.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg


def numbers(values: Sequence[int | None]) -> str:
    """An array of integers."""
    return "{" + str(values)[1:-1].rstrip(",").replace("None", "NULL") + "}"


def words(values: Iterable[str | None]) -> str:
    """An array of words of ours: names and moments, nothing that somebody else may have written."""
    return "{" + ",".join([value or "NULL" for value in values]) + "}"


def texts(values: Iterable[str | None]) -> str:
    """An array of texts, whatever they hold."""
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def text_of(value: Any) -> str | None:
    """Any value that a statement takes; None is NULL. Raises TypeError for one of another kind."""
    kind = type(value)
    if kind is str or value is None:
        return value  # type: ignore[no-any-return] # it is what it is
    if kind is int:
        return str(value)
    for base in kind.__mro__:
        if base in WRITTEN:
            return WRITTEN[base](value)
    raise TypeError(f"PostgreSQL is given a {type(value).__name__}")


def parameter(value: str | None) -> bytes | None:
    """What is sent for a text. Raises psycopg's DataError for one with a zero byte, behind which libpq would stop."""
    if value is None:
        return None
    data = value.encode()
    if b"\0" in data:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return data


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _list(values: Iterable[Any]) -> str:
    return texts(map(text_of, values))


WRITTEN: Final[dict[type, Callable[[Any], str]]] = {
    str: str.__str__,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: repr,
    bytes: lambda value: "\\x" + value.hex(),
    datetime: datetime.isoformat,
    **dict.fromkeys((list, tuple, set, frozenset), _list),
}
"""How a value of each kind is written."""
