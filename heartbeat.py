"""A process shows its supervisor that it goes on, by touching a file of its own in memory four times a second.

It does not go by way of Redis or PostgreSQL, which may be what is away. What touches the file is a thread, or, where
gevent has made one of it, a greenlet: a process that is stopped, or whose event loop stands still, falls silent at
once. A loop of a process's own says by `Progress` that it comes round, for a thread goes on while another never ends.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from settings.loading import heartbeats_folder

BEAT_SECONDS = 0.25

LONGEST_TURN_SECONDS = 40.0
"""A turn of a loop that takes longer will never end. The opening of a market is one command of many seconds; after 30
PostgreSQL gives its transaction up anyway."""


class Progress:
    """When a loop last came round."""

    def __init__(self, seconds: float = LONGEST_TURN_SECONDS) -> None:
        """`seconds`: how long one turn may take."""
        self._seconds = seconds
        self._noted_at = time.monotonic()

    def note(self) -> None:
        """The loop has come round, or to a point from which its turn goes on."""
        self._noted_at = time.monotonic()

    def goes_on(self) -> bool:
        """Whether that was not too long ago."""
        return time.monotonic() - self._noted_at < self._seconds


def start_beating(goes_on: Callable[[], bool]) -> None:
    """Beat from now on, as long as `goes_on` says so; nothing to do where nobody has named a folder to look in."""
    folder = heartbeats_folder()
    if folder:
        with contextlib.suppress(OSError):  # whoever looks there finds no beats, and says so
            Path(folder).mkdir(mode=0o700, exist_ok=True)  # a supervisor has made it, a container has not
        file = Path(folder) / str(os.getpid())
        threading.Thread(target=_beat, args=[file, goes_on], name="heartbeat", daemon=True).start()


def _beat(file: Path, goes_on: Callable[[], bool]) -> None:
    while True:
        if goes_on():
            with contextlib.suppress(OSError):  # the supervisor takes the folder away when it stops
                file.touch()
                now = time.monotonic()
                os.utime(file, (now, now))  # one clock for all processes, that nobody sets
        time.sleep(BEAT_SECONDS)
