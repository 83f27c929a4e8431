"""A stock's book as it was right before one of its commands.

From the last checkpoint before it the journal is carried out again, as the worker did. It is read in pieces, so that no
connection is held meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from engine.book import Book
from services.history.again import JOURNAL, command_again
from services.history.entry_times import EntryTimes
from services.history.kept import book_of, first_book
from services.history.pacing import paced
from services.matching.journal import UnreadableCommand
from services.timestamps import microseconds

MOST_COMMANDS: Final = 40_000
"""Commands that are carried out again for one book, which take some two seconds."""

PIECE: Final = 1_000
"""Commands that are read at once, which takes some ten milliseconds."""

Reading = Callable[[], AbstractContextManager[Statements]]
"""Opens a session for reading."""

NEAREST: Final = text("""
    SELECT command_sequence, state, reference_price, last_price, orders FROM book_checkpoints
    WHERE stock_id = :stock_id AND command_sequence < :sequence AND command_sequence >= :oldest
    ORDER BY command_sequence DESC LIMIT 1
""")

COMMANDS: Final = text(f"""
    {JOURNAL} WHERE stock_id = :stock_id AND sequence > :after AND sequence <= :until ORDER BY sequence
""")


class TooFar(Exception):
    """No book was kept within MOST_COMMANDS before this command."""


class BrokenHistory(Exception):
    """What was kept of this stock does not fit together."""


@dataclass(frozen=True, slots=True)
class BookBefore:
    """A book as it was before `command`, a row of the journal that is to be carried out next."""

    book: Book
    entered: EntryTimes
    command: Any


def book_before(reading: Reading, stock: Any, sequence: int, pause: Callable[[], None]) -> BookBefore:
    """The book before the command with this sequence; `stock` is the row of its stock.

    `pause` is called now and then: others may go first. Raises TooFar, BrokenHistory.
    """
    oldest = sequence - 1 - MOST_COMMANDS
    with reading() as session:
        values = {"stock_id": stock.id, "sequence": sequence, "oldest": oldest}
        kept = session.execute(NEAREST, values).one_or_none()
    if kept is None and oldest > 0:
        raise TooFar
    pause()
    try:
        book, entered = first_book(stock) if kept is None else book_of(stock, kept, pause)
        journal = _journal(reading, stock.id, kept.command_sequence if kept else 0, sequence)
        for row in paced(journal, pause):
            now = microseconds(row.sequenced_at)
            entered.note(now)
            if row.sequence == sequence:
                return BookBefore(book, entered, row)
            command = command_again(row, book)
            if command is not None:
                book.apply(command, now)
    except (ValueError, UnreadableCommand) as error:
        raise BrokenHistory from error
    raise BrokenHistory


def _journal(reading: Reading, stock_id: int, after: int, until: int) -> Iterator[Any]:
    """The commands behind `after` up to `until`. Raises BrokenHistory where one is missing."""
    while after < until:
        piece = min(after + PIECE, until)
        with reading() as session:
            rows = session.execute(COMMANDS, {"stock_id": stock_id, "after": after, "until": piece}).all()
        if [row.sequence for row in rows] != list(range(after + 1, piece + 1)):
            raise BrokenHistory
        yield from rows
        after = piece
