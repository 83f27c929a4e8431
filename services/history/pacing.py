"""Long work is done in pieces: others may go first in between."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

PACE: Final = 100
"""Orders or commands: a millisecond or two."""

Thing = TypeVar("Thing")


def paced(things: Iterable[Thing], pause: Callable[[], None]) -> Iterator[Thing]:
    """`things` one by one; `pause` is called after each PACE of them."""
    for number, thing in enumerate(things, 1):
        yield thing
        if number % PACE == 0:
            pause()
