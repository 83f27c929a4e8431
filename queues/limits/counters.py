"""Counters that all processes share, in Redis, by the library `limits`.

While Redis is away each process counts by itself: a limit never vanishes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError

from queues.connection import connect
from settings import servers

log = logging.getLogger(__name__)

ALONE_SECONDS = 1.0
"""How long a process counts by itself before it asks Redis again: a hanging Redis must not delay every request."""

Counted = TypeVar("Counted")


class Counters:
    """The counters of one process. Redis is connected to when something is counted for the first time."""

    def __init__(self, redis: servers.Redis) -> None:
        self._redis = redis
        self._alone = MovingWindowRateLimiter(MemoryStorage())
        self._alone_until = float("-inf")

    def count(self, work: Callable[[MovingWindowRateLimiter], Counted]) -> Counted:
        """Do `work` with the counters that all processes share, or our own while Redis is away, and give its result."""
        counted = self.shared(lambda: [work(self._shared)])
        return work(self._alone) if counted is None else counted[0]

    def shared(self, command: Callable[[], Counted]) -> Counted | None:
        """The result of a command to Redis; None while it is away."""
        if time.monotonic() >= self._alone_until:
            try:
                return command()
            except RedisError as error:
                self._alone_until = time.monotonic() + ALONE_SECONDS
                log.warning("Redis is away, this process counts requests by itself: %s", error)
        return None

    @cached_property
    def _shared(self) -> MovingWindowRateLimiter:
        pool = connect(self._redis).connection_pool
        return MovingWindowRateLimiter(RedisStorage(self._redis.url, connection_pool=pool))
