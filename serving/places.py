"""Work that only a few do at the same time, such as look-ups in the database: who waits for it goes in turn.

A semaphore lets in whoever came first, so somebody who comes fifty times at once keeps all others waiting for fifty.
Here each payer has one place in line, however many of his connections wait. And he may have but a few of the places:
what he does there takes processors from what others do, however they wait for it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Hashable, Iterator

from serving.present import payer

NOBODY = object()


class NoPlaceError(Exception):
    """Others had all places for too long."""


class Places:
    """So many at the same time."""

    def __init__(self, count: int, seconds: float = -1, of_one: int | None = None) -> None:
        """`seconds`: how long one may wait; as long as it takes where it is negative. `of_one`: places of one payer."""
        self._free = count
        self._seconds = seconds
        self._of_one = count if of_one is None else of_one
        self._taken: Counter[Hashable] = Counter()
        """By payers who have any."""
        self._mutex = threading.Lock()
        self._waiting: dict[Hashable, deque[threading.Lock]] = {}
        """What each of those who wait is woken by; payers in the order of their turns."""

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Have one of the places; wait for it if need be. Raises NoPlaceError."""
        name = payer()
        self._enter(name)
        try:
            yield
        finally:
            self._leave(name)

    def _enter(self, name: Hashable) -> None:
        with self._mutex:
            if self._free and self._may_have(name):
                self._free -= 1
                self._taken[name] += 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.setdefault(name, deque()).append(turn)
        try:
            if not turn.acquire(timeout=self._seconds):
                raise NoPlaceError
        except BaseException:
            self._give_up(name, turn)
            raise

    def _give_up(self, name: Hashable, turn: threading.Lock) -> None:
        """Whoever waited does so no more: his place is the next one's, if he has been given it already."""
        with self._mutex:
            queue = self._waiting.get(name, deque())
            if turn in queue:
                queue.remove(turn)
                if not queue:
                    del self._waiting[name]
                return
        self._leave(name)

    def _leave(self, name: Hashable) -> None:
        with self._mutex:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]
            heir = next(filter(self._may_have, self._waiting), NOBODY)
            if heir is NOBODY:
                self._free += 1
                return
            self._taken[heir] += 1
            queue = self._waiting.pop(heir)
            queue.popleft().release()
            if queue:
                self._waiting[heir] = queue

    def _may_have(self, name: Hashable) -> bool:
        return name is None or self._taken[name] < self._of_one
