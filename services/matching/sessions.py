"""When a stock's session begins: what its figures of the day count from.

It begins with a roll, and in a market that closes when the stock leaves `closed`: what was traded on a day stands until
the next one. The roll that a schedule sends along with the close begins none.
"""

from engine.book import Book
from engine.terms.commands import Command, Roll, State
from engine.terms.states import CLOSED, DELISTED

OF_SESSIONS = (Roll, State)
"""The kinds of commands that can begin one."""


def begins_session(command: Command, before: str, book: Book) -> bool:
    """True if `command` has begun a session of `book`, whose state was `before`."""
    if before == CLOSED:
        return isinstance(command, State) and book.state not in (CLOSED, DELISTED)
    return isinstance(command, Roll)
