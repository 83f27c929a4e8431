"""Work that only a few do at the same time, such as look-ups in the database: who waits for it goes in turn.

A semaphore lets in whoever came first, so somebody who comes fifty times at once keeps all others waiting for fifty.
Here each payer has one place in line, however many of his connections wait. And he may have but a few of the places:
what he does there takes processors from what others do, however they wait for it.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Hashable

from serving.present import payer
from serving.short_lock import short_lock

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
        self._mutex = short_lock()
        self._waiting: dict[Hashable, deque[threading.Lock]] = {}
        """What each of those who wait is woken by; payers in the order of their turns."""

    def one(self) -> Place:
        """One of the places, for the present payer and for `with`."""
        return Place(self, payer())

    def enter(self, name: Hashable) -> None:
        """Have a place; wait for it if need be. Raises NoPlaceError."""
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
        self.leave(name)

    def leave(self, name: Hashable) -> None:
        """Give the place back, to the next in line."""
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


class Place:
    """A place that somebody has inside `with`, which raises NoPlaceError."""

    __slots__ = ("_name", "_places")

    def __init__(self, places: Places, name: Hashable) -> None:
        self._places, self._name = places, name

    def __enter__(self) -> None:
        self._places.enter(self._name)

    def __exit__(self, *_: object) -> None:
        self._places.leave(self._name)
