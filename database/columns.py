"""Lists that travel to a statement side by side: each column is named once, with its type and where its values are.

A set-based statement takes an array for each column and joins them by place. Written by hand, the arrays and the names
of what they hold are two lists that only the eye keeps in step; here both come from one.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from database.literals import numbers, texts, words


class Column(NamedTuple):
    """A column: its name in the statement, PostgreSQL's type of it, and its value for an item of the list."""

    name: str
    type: str
    value: Callable[[Any], Any]
    literal: Callable[[Sequence[Any]], str]


def number(name: str, value: Callable[[Any], int | None], type: str = "bigint") -> Column:
    """A column of whole numbers."""
    return Column(name, type, value, numbers)


def word(name: str, value: Callable[[Any], str | None], type: str = "text") -> Column:
    """A column of words of ours, which need no quotes: names, moments, truth."""
    return Column(name, type, value, words)


def quoted(name: str, value: Callable[[Any], str | None], type: str = "text") -> Column:
    """A column of texts, whatever they hold."""
    return Column(name, type, value, texts)


def names(columns: Iterable[Column]) -> str:
    """The columns' names, as a statement lists them."""
    return ", ".join(column.name for column in columns)


def unnest(columns: Sequence[Column], alias: str = "t", first: int = 1) -> str:
    """The lists as a table, for FROM; the first of them is parameter number `first`."""
    arrays = ", ".join(f"${number}::{column.type}[]" for number, column in enumerate(columns, first))
    return f"unnest({arrays}) AS {alias} ({names(columns)})"


def unnest_named(columns: Sequence[Column], alias: str = "t") -> str:
    """The same for a statement whose parameters have names, those of the columns."""
    arrays = ", ".join(f"CAST(:{column.name} AS {column.type}[])" for column in columns)
    return f"unnest({arrays}) AS {alias} ({names(columns)})"


def named_literals(columns: Iterable[Column], items: Sequence[Any]) -> dict[str, str]:
    """The arrays of these items by the columns' names."""
    return {column.name: column.literal([column.value(item) for item in items]) for column in columns}


def literals(columns: Iterable[Column], items: Sequence[Any]) -> list[str]:
    """The arrays of these items, in the order of the columns."""
    return [column.literal([column.value(item) for item in items]) for column in columns]
