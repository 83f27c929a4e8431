"""Where heartbeats of processes do not wait for a disk."""

from pathlib import Path
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - it is the system's own, and gunicorn names its file at random
