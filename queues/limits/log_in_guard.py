"""Who has failed to log in of late, by name and address together and by address alone; and who has signed up.

A delay is an answer, never a sleep. A try counts as a failure from its beginning until it has succeeded, so that many
at once are no way around it. Each process counts in Redis, and by itself as well: that is left while Redis is away.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from redis import Redis

from queues import names
from queues.limits.counters import Counters

FREE = 3
"""Failures of one name from one address that are followed by no delay; then 1, 2, 4 … seconds."""

LONGEST_SECONDS = 30
FORGOTTEN_SECONDS = 900
"""After the last failure."""

OF_ADDRESS_A_MINUTE = 100
"""Failures of one address, whatever the names."""

SIGN_UPS_AN_HOUR = 60
"""Of one address."""

MOST_KEPT = 10_000
"""Pairs of a name and an address that a process counts by itself."""

TRY = """
local function delay(failures)
    if failures < tonumber(ARGV[1]) then return 0 end
    return math.min(tonumber(ARGV[2]), 2 ^ (failures - tonumber(ARGV[1]))) * 1000
end
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'failures', 'at')
local failures, at = tonumber(known[1] or 0), tonumber(known[2] or 0)
local wait = at + delay(failures) - now
if wait > 0 then return wait end
redis.call('HSET', KEYS[1], 'failures', failures + 1, 'at', now)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 0
"""
"""KEYS: the pair's. ARGV: FREE, LONGEST_SECONDS, FORGOTTEN_SECONDS. Answer milliseconds to wait."""


class LogInGuard:
    """The guard of one process. Addresses are to be given as `serving.open_connections.network_of` has them."""

    def __init__(self, redis: Redis, counters: Counters) -> None:
        self._redis = redis
        self._counters = counters
        self._try = redis.register_script(TRY)
        self._alone = Alone()
        a_minute = RateLimitItemPerMinute(OF_ADDRESS_A_MINUTE, namespace=names.COUNTERS)
        an_hour = RateLimitItemPerHour(SIGN_UPS_AN_HOUR, namespace=names.COUNTERS)
        self._failures = Bound(counters, a_minute, "failed log-ins")
        self.sign_ups = Bound(counters, an_hour, "sign-ups")

    def seconds_to_wait(self, username: str, address: str) -> int:
        """Seconds to wait as far as this process knows, which asks nobody: so a crowd can be told at once."""
        return math.ceil(self._alone.wait(_pair(username, address)))

    def begin(self, username: str, address: str) -> int:
        """Count a try as a failure; 0, or the seconds until there may be one, and then nothing is counted."""
        wait_of_all = self._failures.seconds_to_wait(address)
        if wait_of_all:
            return wait_of_all
        pair = _pair(username, address)
        wait = self._alone.begin(pair)
        if not wait:
            wait = self._shared_wait(pair)
            if wait:
                self._alone.undo(pair)
        return math.ceil(wait)

    def failed(self, address: str) -> None:
        """The try was a failure, indeed."""
        self._failures.count(address)

    def succeeded(self, username: str, address: str) -> None:
        """The try was none: the pair begins anew."""
        pair = _pair(username, address)
        self._alone.forget(pair)
        self._counters.shared(lambda: self._redis.delete(_key(pair)))

    def undo(self, username: str, address: str) -> None:
        """Nobody has looked at the password: the try is as if it had not been."""
        pair = _pair(username, address)
        self._alone.undo(pair)
        self._counters.shared(lambda: self._redis.hincrby(_key(pair), "failures", -1))

    def _shared_wait(self, pair: str) -> float:
        """The same as Redis has it; 0 while it is away."""
        arguments = [FREE, LONGEST_SECONDS, FORGOTTEN_SECONDS]
        return (self._counters.shared(lambda: int(self._try(keys=[_key(pair)], args=arguments))) or 0) / 1000


class Bound:
    """So many of something in some time from one address."""

    def __init__(self, counters: Counters, item: RateLimitItem, name: str) -> None:
        self._counters, self._item, self._name = counters, item, name

    def seconds_to_wait(self, address: str) -> int:
        """Seconds until there may be one more from this address, at least 1; 0 if at once."""
        item, name = self._item, self._name
        if self._counters.count(lambda limiter: limiter.test(item, name, address)):
            return 0
        window = self._counters.count(lambda limiter: limiter.get_window_stats(item, name, address))
        return max(1, math.ceil(window.reset_time - time.time()))

    def count(self, address: str) -> bool:
        """One more from this address; False, and not counted, where that is too many."""
        return self._counters.count(lambda limiter: limiter.hit(self._item, self._name, address))


class Alone:
    """What one process has counted by itself: the failures of each pair, and when the last was."""

    def __init__(self) -> None:
        self._pairs: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._mutex = threading.Lock()

    def wait(self, pair: str) -> float:
        """Seconds to wait."""
        failures, at = self._pairs.get(pair, (0, 0.0))
        now = time.monotonic()
        return max(0.0, at + delay_after(failures) - now) if now < at + FORGOTTEN_SECONDS else 0.0

    def begin(self, pair: str) -> float:
        """Count a try; 0, or the seconds to wait, and then nothing is counted."""
        with self._mutex:
            wait = self.wait(pair)
            if not wait:
                failures, at = self._pairs.pop(pair, (0, 0.0))
                now = time.monotonic()
                self._pairs[pair] = (failures + 1 if now < at + FORGOTTEN_SECONDS else 1, now)
                if len(self._pairs) > MOST_KEPT:
                    self._pairs.popitem(last=False)
            return wait

    def undo(self, pair: str) -> None:
        """One try less."""
        with self._mutex:
            failures, at = self._pairs.get(pair, (0, 0.0))
            if failures:
                self._pairs[pair] = (failures - 1, at)

    def forget(self, pair: str) -> None:
        """No failures."""
        self._pairs.pop(pair, None)


def delay_after(failures: int) -> int:
    """Seconds of delay after so many failures."""
    return 0 if failures < FREE else min(LONGEST_SECONDS, 2 ** min(failures - FREE, 10))


def _pair(username: str, address: str) -> str:
    """Of any length that a name has, and nothing that could be read in Redis."""
    return hashlib.sha256(f"{address} {username}".encode()).hexdigest()


def _key(pair: str) -> str:
    return names.log_ins(pair)
