"""Buckets of tokens that all processes share, in Redis, by the library `throttled`.

Its GCRA is a token bucket that is filled evenly, to the microsecond; what it calls one is filled once a second.

While Redis is away each process has buckets by itself: a limit never vanishes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from redis import RedisError

from queues import names
from queues.limits.counters import Counters
from settings import servers

if TYPE_CHECKING:
    from throttled.rate_limiter import GCRARateLimiter
    from throttled.store import MemoryStore, RedisStore

MOST_ALONE: Final = 100_000
"""Buckets of a process by itself."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of taking tokens: what is left, and seconds until as many are there (0 if they were), and all are."""

    wait: float
    remaining: int
    reset: int


class TokenBuckets:
    """The buckets of one process. The library is loaded, and Redis connected to, when something is first taken."""

    def __init__(self, redis: servers.Redis, counters: Counters) -> None:
        """`counters` knows whether Redis is away."""
        self._redis = redis
        self._counters = counters
        self._limiters: dict[tuple[int, bool], GCRARateLimiter] = {}

    def take(self, bucket: str, whose: str, rate: int, cost: int) -> Taken:
        """Take `cost` tokens from a bucket that holds `rate` and gets so many a second; none if they are not there."""
        key = f"{bucket}:{rate}:{whose}"
        taken = self._counters.shared(lambda: self._take_shared(key, rate, cost))
        return _taken(self._limiter(rate, is_shared=False), key, cost) if taken is None else taken

    def _take_shared(self, key: str, rate: int, cost: int) -> Taken:
        """Raises RedisError, which the library puts into one of its own."""
        from throttled.exceptions import StoreUnavailableError  # noqa: PLC0415

        try:
            return _taken(self._limiter(rate, is_shared=True), key, cost)
        except StoreUnavailableError as error:
            raise RedisError(str(error.__cause__)) from error

    def _limiter(self, rate: int, *, is_shared: bool) -> GCRARateLimiter:
        found = self._limiters.get((rate, is_shared))
        if found is None:
            from throttled.rate_limiter import GCRARateLimiter, per_sec  # noqa: PLC0415 - it takes a while

            store = self._shared if is_shared else self._alone
            found = GCRARateLimiter(per_sec(rate, burst=rate), store, key_prefix=names.BUCKETS)
            self._limiters[rate, is_shared] = found
        return found

    @cached_property
    def _shared(self) -> RedisStore:
        from throttled.store import RedisStore  # noqa: PLC0415

        options = {
            "CONNECTION_FACTORY_CLASS": "queues.limits.bucket_connections.OurConnections",
            "SETTINGS": self._redis,
        }
        return RedisStore(options=options)

    @cached_property
    def _alone(self) -> MemoryStore:
        from throttled.store import MemoryStore  # noqa: PLC0415

        return MemoryStore(options={"MAX_SIZE": MOST_ALONE})


def _taken(limiter: GCRARateLimiter, key: str, cost: int) -> Taken:
    result = limiter.limit(key, cost)
    state = result.state
    wait = state.retry_after if result.limited else 0.0
    return Taken(wait, max(0, state.remaining), math.ceil(state.reset_after))
