"""Wait until the worker has settled something, and read from PostgreSQL that it has."""

import time
from collections.abc import Callable
from typing import TypeVar

from queues.replies import Expected

LOOK_SECONDS = 0.25
"""A reply is only a hint and may be lost with Redis, so whoever waits looks by himself this often."""

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found | None], seconds: float, reply: Expected | None = None) -> Found | None:
    """What `look` finds, as soon as it finds something; None if it has not after `seconds`.

    It looks when the reply is here, at the latest every LOOK_SECONDS, and a last time at the end.
    """
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        pause = max(0.0, min(LOOK_SECONDS, left))
        if reply is None:
            time.sleep(pause)
        elif reply.wait(pause):
            reply = None  # it comes once; should it not be the end yet, look from time to time
        found = look()
        if found is not None or left <= LOOK_SECONDS:
            return found
