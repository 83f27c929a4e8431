"""Work that only a few do at the same time, such as look-ups in the database: who waits for it goes in turn.

A semaphore lets in whoever came first, so somebody who comes fifty times at once keeps all others waiting for fifty.
Here each payer has one place in line, however many of his connections wait.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Hashable, Iterator

from serving.present import payer


class NoPlaceError(Exception):
    """Others had all places for too long."""


class Places:
    """So many at the same time."""

    def __init__(self, count: int, seconds: float = -1) -> None:
        """`seconds`: how long one may wait; as long as it takes where it is negative."""
        self._free = count
        self._seconds = seconds
        self._mutex = threading.Lock()
        self._waiting: dict[Hashable, deque[threading.Lock]] = {}
        """What each of those who wait is woken by; payers in the order of their turns."""

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Have one of the places; wait for it if need be. Raises NoPlaceError."""
        self._enter(payer())
        try:
            yield
        finally:
            self._leave()

    def _enter(self, name: Hashable) -> None:
        with self._mutex:
            if self._free:
                self._free -= 1
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
        self._leave()

    def _leave(self) -> None:
        with self._mutex:
            if not self._waiting:
                self._free += 1
                return
            name = next(iter(self._waiting))
            queue = self._waiting.pop(name)
            queue.popleft().release()
            if queue:
                self._waiting[name] = queue
