"""Points at which a test may kill or stop a worker: `MINEX_FAULT=before_commit:kill`."""

import os
import signal

from settings.loading import fault

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def reach(point: str) -> None:
    """Say that the process is at `point`; where the environment asks for it, die or stop right here."""
    wanted, _, action = fault().partition(":")
    if wanted == point:
        os.kill(os.getpid(), SIGNALS[action])
