"""Wait until the worker has settled something, and read from PostgreSQL that it has."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from queues.replies import Expected
from serving.short_lock import short_lock

LOOK_SECONDS = 0.25
"""A reply is only a hint and may be lost with Redis, so whoever waits looks by himself this often."""

Found = TypeVar("Found")


class WaitingRoom:
    """How many requests of one process may wait for the book at the same time: each looks into PostgreSQL now and then.

    While a group is not matched, the others must still be served.
    """

    def __init__(self, seats: int) -> None:
        self._free = seats
        self._mutex = short_lock()

    @contextmanager
    def seat(self) -> Iterator[bool]:
        """True inside the block if a seat was free, and taken; without one the caller has to answer at once."""
        with self._mutex:
            taken = self._free > 0
            self._free -= taken
        try:
            yield taken
        finally:
            with self._mutex:
                self._free += taken


def wait_for(
    look: Callable[[], Found], is_final: Callable[[Found], bool], seconds: float, reply: Expected | None = None
) -> Found:
    """The result of `look` as soon as it is final; after `seconds` whatever it is by then.

    It looks when the reply is here, or at once without one to wait for; then at the latest every LOOK_SECONDS, and a
    last time at the end.
    """
    deadline = time.monotonic() + seconds
    while True:
        if reply is not None and reply.wait(_pause(deadline)):
            reply = None  # it comes once; should it not be the end yet, look from time to time
        found = look()
        if is_final(found) or time.monotonic() >= deadline:
            return found
        if reply is None:
            time.sleep(_pause(deadline))


def _pause(deadline: float) -> float:
    return max(0.0, min(LOOK_SECONDS, deadline - time.monotonic()))
