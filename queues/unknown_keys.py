"""The unknown API keys that an address has sent within a minute, over REST and Socket.IO together."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute

from queues.counters import PREFIX, Counters
from settings import sections

NAME = "unknown keys"


class UnknownKeys:
    """Counts unknown keys by address; without a limit it counts nothing and asks nobody."""

    def __init__(self, settings: sections.Limits, counters: Counters) -> None:
        self.limit = settings.failures_per_minute
        """Unknown keys of one address in a minute; 0: any number."""
        self._counters = counters
        self._item = RateLimitItemPerMinute(self.limit, namespace=PREFIX) if self.limit else None

    def seconds_to_wait(self, address: str) -> int:
        """Seconds until a key from `address` is looked up again, at least 1; 0 if it may be looked up now."""
        item = self._item
        if item is None or self._counters.count(lambda limiter: limiter.test(item, NAME, address)):
            return 0
        window = self._counters.count(lambda limiter: limiter.get_window_stats(item, NAME, address))
        return max(1, math.ceil(window.reset_time - time.time()))

    def note(self, address: str) -> None:
        """An unknown key came from `address`."""
        item = self._item
        if item is not None:
            self._counters.count(lambda limiter: limiter.hit(item, NAME, address))
