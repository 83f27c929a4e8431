"""A read that costs much and that everybody asks for alike: those who wait at the same time share one."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from serving.short_lock import short_lock

REST_FACTOR: Final = 3.0
"""After a read its length is waited so many times before the next begins: those who ask without a pause get a quarter
of the process at most."""

TRIES: Final = 2
"""What another could not read for the two of them, one reads for oneself."""


class SharedRead:
    """Its answers are never older than the question: whoever comes while one is read gets the next one."""

    def __init__(self) -> None:
        self._next: Future[bytes] | None = None
        """For whoever comes now."""
        self._mutex = short_lock()
        self._turn = threading.Lock()
        self._rests_until = float("-inf")

    def answer(self, read: Callable[[], bytes]) -> bytes:
        """What `read` gives to one of those who share it. Raises what it raises."""
        for _ in range(TRIES):
            shared, is_first = self._join()
            if is_first:
                self._make(shared, read)
                break
            if shared.exception() is None:
                break
        return shared.result()

    def _join(self) -> tuple[Future[bytes], bool]:
        with self._mutex:
            is_first = self._next is None
            shared = self._next = self._next or Future()
        return shared, is_first

    def _make(self, shared: Future[bytes], read: Callable[[], bytes]) -> None:
        try:
            with self._turn:
                time.sleep(max(0.0, self._rests_until - time.monotonic()))
                self._next = None
                began = time.monotonic()
                try:
                    shared.set_result(read())
                finally:
                    ended = time.monotonic()
                    self._rests_until = ended + REST_FACTOR * (ended - began)
        except BaseException as error:  # noqa: BLE001 - raised by whoever asks for the answer
            self._next = None
            shared.set_exception(error)
