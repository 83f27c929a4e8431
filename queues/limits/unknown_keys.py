"""The unknown API keys that an address has sent within a minute, over REST and Socket.IO together."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter

from limits import RateLimitItemPerMinute

from queues import names
from queues.limits.counters import Counters
from settings import sections

log = logging.getLogger(__name__)

NAME = "unknown keys"

MINUTE_SECONDS = 60
MOST_NAMED = 100
"""Addresses that the log names in one minute; all others together are one more. So strangers do not fill it."""

OTHERS = "other addresses"


class UnknownKeys:
    """Counts unknown keys by address, and says so in the log; without a limit it asks nobody.

    An address is to be given as `serving.open_connections.network_of` has it.
    """

    def __init__(self, settings: sections.Limits, counters: Counters) -> None:
        self.limit = settings.failures_per_minute
        """Unknown keys of one address in a minute; 0: any number."""
        self._counters = counters
        self._item = RateLimitItemPerMinute(self.limit, namespace=names.COUNTERS) if self.limit else None
        self._told = Refused()

    def seconds_to_wait(self, address: str) -> int:
        """Seconds until a key from `address` is looked up again, at least 1; 0 if it may be looked up now."""
        item = self._item
        if item is None or self._counters.count(lambda limiter: limiter.test(item, NAME, address)):
            return 0
        window = self._counters.count(lambda limiter: limiter.get_window_stats(item, NAME, address))
        return max(1, math.ceil(window.reset_time - time.time()))

    def note(self, address: str) -> None:
        """An unknown key came from `address`."""
        self._told.add(address)
        item = self._item
        if item is not None:
            self._counters.count(lambda limiter: limiter.hit(item, NAME, address))


class Refused:
    """Says in the log who sends unknown keys: of each address the first one in a minute, the tenth, the hundredth …"""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def add(self, address: str) -> None:
        """One more from `address`."""
        minute = int(time.monotonic() // MINUTE_SECONDS)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        if address not in self._counts and len(self._counts) >= MOST_NAMED:
            address = OTHERS
        self._counts[address] += 1
        count = self._counts[address]
        if count == 10 ** (len(str(count)) - 1):
            log.warning("unknown keys were refused: %d from %s in this minute", count, address)
