"""How a process is told to stop: by SIGTERM or SIGINT."""

import signal
import threading
from types import FrameType


def stopped_by_signals() -> threading.Event:
    """Set once the process is told to stop; a second signal changes nothing. To be called in the main thread."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopped
