"""Passwords are hashed beside the loop, a few at a time in the whole process: a thousand log-ins stop nobody's order.

Each hash takes a processor for some 40 ms, and 19 MiB. A thread of its own does it, which the system lets run after all
others. Who waits for it goes in turn by address, and is told to come back where that takes too long.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final, TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPool

from services.errors import Failed
from services.identity.errors import LogInsBusy
from serving.places import NoPlaceError, Places

PATIENCE_SECONDS: Final = 5.0

NICE: Final = 10
"""Of the threads: orders go first."""

Done = TypeVar("Done")


class Hashing:
    """The threads of one process that hash passwords."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._places = Places(at_once, PATIENCE_SECONDS, of_one=1)

    @contextmanager
    def turn(self, address: str) -> Iterator[None]:
        """Once it is the turn of this address, for as long as the block takes. Raises LogInsBusy."""
        try:
            self._places.enter(address)
        except NoPlaceError as error:
            raise LogInsBusy from error
        try:
            yield
        finally:
            self._places.leave(address)

    def apply(self, work: Callable[[], Done]) -> Done:
        """The result of `work`, which talks to nobody, in a thread; within one's turn."""
        if not monkey.is_module_patched("threading"):
            return work()
        done: Done | Failed = self._threads.apply(nicely, (work,))
        if isinstance(done, Failed):
            raise done.error
        return done

    @cached_property
    def _threads(self) -> ThreadPool:
        return ThreadPool(self._at_once)


_is_nice = threading.local()


def nicely(work: Callable[[], Done]) -> Done | Failed:
    """Do `work` in a thread that gives way to others, where the system has such threads.

    What is raised is handed over: the pool itself would write it to the terminal.
    """
    if sys.platform == "linux" and not getattr(_is_nice, "set", False):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        _is_nice.set = True
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - raised where it is waited for
        return Failed(error)
