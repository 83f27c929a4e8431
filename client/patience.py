"""How long a call is tried again, and how often."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Patience:
    """The time that is left for one call; waits grow from `first` to `longest` seconds, with chance in them."""

    seconds: float = 30.0
    first: float = 0.1
    longest: float = 2.0
    tell: Callable[[float, str], None] | None = None
    _began: float = field(default_factory=time.monotonic)
    _waits: int = 0

    def wait(self, why: str, asked: float | None = None) -> bool:
        """Wait, as long as the exchange has `asked` for (seconds) if it has; False, at once, where that is too long.

        `why` is what `tell` is told, if somebody wants to know.
        """
        wait = asked
        if wait is None:
            wait = min(self.first * 2**self._waits, self.longest) * (0.5 + random.random() / 2)  # noqa: S311 - no secret
        self._waits += 1
        if time.monotonic() + wait > self._began + self.seconds:
            return False
        if self.tell is not None:
            self.tell(wait, why)
        time.sleep(wait)
        return True
