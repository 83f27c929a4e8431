"""LOBSTER message files (lobsterdata.com): one line for each thing that happened to NASDAQ's book of one stock.

A line has six columns: seconds after midnight, type, order id, shares, price in 1/10,000 dollar, and the direction of
the *resting* order (1 buy, -1 sell). Types: 1 a limit order enters, 2 part of one is cancelled, 3 one is deleted, 4 a
visible one is executed, 5 a hidden one is, 6 a cross, 7 a halt. Some files begin with a line of column names, some
have further columns, often `null`, and many are kept compressed by gzip: all of them are read.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine import ASK, BID

ENTRY: Final = 1
REDUCTION: Final = 2
DELETION: Final = 3
EXECUTION: Final = 4
TYPES: Final = range(1, 8)
"""5 to 7 are known but say nothing of the visible book."""

PRICE_UNITS_PER_CENT: Final = 100
"""The file counts in 1/10,000 dollar."""

COLUMNS: Final = ("time", "type", "order id", "shares", "price", "direction")
HEADER_WORDS: Final = (("time",), ("type",), ("id",), ("share", "size", "vol", "quantity"), ("price",), ("dir", "side"))
"""What the name of each column has in it, where a file begins with names."""

GZIP_MAGIC: Final = b"\x1f\x8b"
SHOWN_LETTERS: Final = 40


class BadMessage(ValueError):
    """A file or a line of it is not LOBSTER's; the text names the line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the file, its price in cents."""

    type: int
    id: int
    shares: int
    price: int
    side: int
    at: float = field(default=0.0, compare=False)
    """Seconds after midnight; the same message at another time is the same."""


def read_file(path: Path) -> list[Message]:
    """The messages of a file that concern the visible book; gzip is recognised by its content. Raises `BadMessage`."""
    try:
        with path.open("rb") as file:
            content = gzip.GzipFile(fileobj=file) if file.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC) else file
            with io.TextIOWrapper(content, encoding="utf-8-sig") as lines:
                return read_messages(lines)
    except UnicodeDecodeError:
        raise BadMessage("it is neither text nor compressed by gzip") from None
    except (OSError, EOFError, zlib.error) as broken:
        raise BadMessage(f"it cannot be read: {broken}") from None


def read_messages(lines: Iterable[str]) -> list[Message]:
    """The messages that concern the visible book. Raises `BadMessage`."""
    messages = []
    begun = False
    for number, line in enumerate(lines, 1):
        columns = [column.strip() for column in line.split(",")]
        if not any(columns):
            continue
        try:
            if begun or not _is_header(columns):
                messages += _messages_of(columns)
        except BadMessage as wrong:
            raise BadMessage(f"line {number}: {wrong}") from None
        begun = True
    return messages


def _is_header(columns: list[str]) -> bool:
    """True if a first line has names, not numbers. Raises `BadMessage` where they are not LOBSTER's, in its order."""
    if len(columns) < len(COLUMNS) or any(_number_of(column) is not None for column in columns):
        return False
    for name, words, column in zip(COLUMNS, HEADER_WORDS, columns, strict=False):
        if not any(word in column.lower() for word in words):
            raise BadMessage(f"the column {_shown(column)} stands where the {name} should: {_expected()}")
    return True


def _messages_of(columns: list[str]) -> list[Message]:
    """The message of one line, or none where it says nothing of the visible book."""
    if len(columns) < len(COLUMNS):
        raise BadMessage(f"{len(columns)} columns: {_expected()}")
    kind = _whole(columns, 1)
    if kind not in TYPES:
        raise BadMessage(f"there is no message type {kind}")
    if kind > EXECUTION:
        return []
    order_id, shares, price, side = (_whole(columns, column) for column in range(2, len(COLUMNS)))
    if side not in (BID, ASK) or shares <= 0 or price < PRICE_UNITS_PER_CENT:
        raise BadMessage("the direction is 1 or -1, shares are positive, a price is at least a cent")
    return [Message(kind, order_id, shares, price // PRICE_UNITS_PER_CENT, side, _number_of(columns[0]) or 0.0)]


def _whole(columns: list[str], column: int) -> int:
    try:
        return int(columns[column])
    except ValueError:
        raise BadMessage(f"{COLUMNS[column]}: {_shown(columns[column])} is not a whole number") from None


def _number_of(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _expected() -> str:
    return f"a line is {', '.join(COLUMNS)}"


def _shown(word: str) -> str:
    return repr(word if len(word) <= SHOWN_LETTERS else f"{word[:SHOWN_LETTERS]}…")
