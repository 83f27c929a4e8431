"""How fast one socket may speak: what comes faster waits, and in the end the client's own system makes it wait."""

import time

FRAMES_PER_SECOND = 100
FRAMES_AT_ONCE = 1_000
"""After a silence so many frames are taken one right after the other: a page that subscribes to the whole market."""


class Pace:
    """What one client has left: it grows steadily, and each frame takes one."""

    def __init__(self) -> None:
        self._left = float(FRAMES_AT_ONCE)
        self._counted_at = time.monotonic()

    def seconds_to_wait(self) -> float:
        """One frame more is to be taken: in so many seconds."""
        now = time.monotonic()
        grown = self._left + (now - self._counted_at) * FRAMES_PER_SECOND
        self._left, self._counted_at = min(grown, FRAMES_AT_ONCE) - 1, now
        return max(0.0, -self._left / FRAMES_PER_SECOND)
