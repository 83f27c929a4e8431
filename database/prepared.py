"""The statements that a connection in pipeline mode has prepared, by their texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from database.shared_request import Request


class Prepared:
    """Each statement is prepared when it is sent for the first time, on the same way."""

    def __init__(self, pgconn: Any) -> None:
        self._pgconn = pgconn
        self._names: dict[bytes, bytes] = {}
        self._count = 0

    def name_of(self, statement: bytes, request: Request) -> bytes:
        """The name of the statement; where it has none yet, `request` prepares it. Raises psycopg's errors."""
        name = self._names.get(statement)
        if name is None:
            self._count += 1
            name = self._names[statement] = b"shared%d" % self._count
            request.preparing.append(statement)
            self._pgconn.send_prepare(name, statement)
            request.wanted.append(False)
        return name

    def forget(self, statements: Iterable[bytes]) -> None:
        """These have not been prepared after all."""
        for statement in statements:
            self._names.pop(statement, None)
