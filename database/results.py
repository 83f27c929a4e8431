"""What statements answer, read past psycopg's cursors: by its own loaders, which are in C, into named tuples."""

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import orjson
import psycopg
from psycopg.adapt import AdaptersMap, Loader, Transformer
from psycopg.pq.abc import PGresult
from sqlalchemy.exc import NoResultFound

Shape = Callable[[Any], Any]
"""Makes a row of its values."""


class Rows(list[Any]):
    """The rows of a statement, each a named tuple. Has those of a Result's methods that services use."""

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


class _JsonLoader(Loader):
    def load(self, data: Any) -> Any:
        """The document."""
        return orjson.loads(data)


class _Reading:
    """How answers are read: documents by orjson, all else as psycopg does. All connections of ours speak UTC."""

    connection = None

    def __init__(self) -> None:
        self.adapters = AdaptersMap(psycopg.adapters)
        for name in ("json", "jsonb"):
            self.adapters.register_loader(name, _JsonLoader)


_READING = _Reading()


class Reader:
    """Reads the results of one connection. What it learns of each type it keeps."""

    def __init__(self) -> None:
        self._transformer = Transformer(_READING)
        self._shapes: dict[bytes, Shape] = {}

    def rows(self, result: PGresult, statement: bytes | None = None) -> Rows:
        """The rows of a result; none of a statement that gives none.

        `statement`: which one it was, where that is one of a few: its columns are always called the same.
        """
        if not result.nfields:
            return Rows()
        shape = None if statement is None else self._shapes.get(statement)
        if shape is None:
            shape = _shape(tuple([result.fname(n) for n in range(result.nfields)]))
            if statement is not None:
                self._shapes[statement] = shape
        self._transformer.set_pgresult(result)
        return Rows(self._transformer.load_rows(0, result.ntuples, shape))


@lru_cache(maxsize=512)
def _shape(names: tuple[bytes, ...]) -> Shape:
    named: Any = namedtuple("Row", [name.decode() for name in names], rename=True)  # type: ignore[misc]
    shape: Shape = named._make
    return shape
