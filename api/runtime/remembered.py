"""Answers of the database that are believed for a moment: one query renews all of them, however many ask."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)
Known = TypeVar("Known")

SLOW_PART = 0.25
"""Of the time that an answer is believed: one that took longer to come says too little of now to be remembered."""


class Remembered(Generic[Name, Known]):
    """What is known by name. Only what there is is remembered, so guessing fills nothing.

    All of it is renewed when it is half as old as it may get, by one thread while the others go on; what nobody has
    asked for since is forgotten. What was asked of the database before `forget` is not remembered after it.
    """

    def __init__(
        self,
        ask: Callable[[set[Name]], Mapping[Name, Known]],
        is_good: Callable[[Known], bool],
        cache_ms: int,
        on_used: Callable[[list[Known]], None] = lambda known: None,
    ) -> None:
        """`ask`: for all of these names; `is_good`: what may be remembered; `cache_ms`: how long it is believed.

        `on_used` is told from time to time what has been asked for since the last time.
        """
        self._ask, self._is_good, self._on_used = ask, is_good, on_used
        self._cache_seconds = cache_ms / 1000
        self._known: dict[Name, Known] = {}
        self._used: dict[Name, Known] = {}
        self._forgotten = 0
        self._taken_at = float("-inf")
        self._renewing = threading.Lock()

    def get(self, name: Name) -> Known | None:
        """What is remembered of this name; None where the database has to be asked."""
        self._renew()
        known = self._known.get(name)
        if known is not None:
            self._used[name] = known
        return known

    def learn(self, name: Name, look_up: Callable[[], Known | None]) -> Known | None:
        """What `look_up` finds, whatever is remembered; it is remembered if it is good, and came in time."""
        began, forgotten = time.monotonic(), self._forgotten
        known = look_up()
        if known is None:
            return None
        is_fresh = time.monotonic() - began < self._cache_seconds * SLOW_PART and forgotten == self._forgotten
        if is_fresh and self._is_good(known):
            self._known[name] = known
        self._used[name] = known
        return known

    def forget(self) -> None:
        """Remember nothing, nor what is being looked up just now."""
        self._forgotten += 1
        self.take_used()
        self._known = {}

    def take_used(self) -> set[Name]:
        """The names that have been asked for since the last time."""
        used, self._used = self._used, {}
        self._on_used([known for known in used.values() if self._is_good(known)])
        return set(used)

    def _renew(self) -> None:
        """Ask for all that is remembered again if that is due; whoever finds it too old waits until it is done."""
        age = time.monotonic() - self._taken_at
        if age < self._cache_seconds / 2:
            return
        if not self._renewing.acquire(blocking=age >= self._cache_seconds):
            return
        try:
            now = time.monotonic()
            if now - self._taken_at >= self._cache_seconds / 2:
                forgotten = self._forgotten
                found = self._ask_again(self.take_used())
                if forgotten == self._forgotten:
                    self._known, self._taken_at = found, now
        finally:
            self._renewing.release()

    def _ask_again(self, used: set[Name]) -> dict[Name, Known]:
        if not used or not self._cache_seconds:
            return {}
        return {name: known for name, known in self._ask(used).items() if self._is_good(known)}
