"""Which groups have a worker that can be heard: each says so now and then, under its group's own name."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from redis import Redis, ResponseError

from queues import names

log = logging.getLogger(__name__)

SILENT_SECONDS = 20
"""A worker that has not been heard of for so long is gone. Wide enough for clocks of machines that differ a little."""


class Heartbeats:
    """The workers' heartbeats in Redis."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    def beat(self, group: str, worker: str) -> None:
        """`worker` is alive and serves `group`. Raises RedisError."""
        key, now = names.heartbeats(group), time.time()
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.zadd(key, {worker: now})
        pipeline.zremrangebyscore(key, "-inf", now - SILENT_SECONDS)
        pipeline.expire(key, 3 * SILENT_SECONDS)
        try:
            pipeline.execute()
        except ResponseError as error:
            log.warning("%s holds what is no heartbeats, and is begun anew: %s", key, error)
            self.redis.delete(key)

    def leave(self, group: str, worker: str) -> None:
        """`worker` serves `group` no longer. Raises RedisError."""
        self.redis.zrem(names.heartbeats(group), worker)

    def alive(self, groups: Iterable[str]) -> set[str]:
        """The groups among `groups` that have a worker, in one round trip. Raises RedisError when Redis is away."""
        wanted, now = list(groups), time.time()
        pipeline = self.redis.pipeline(transaction=False)
        for group in wanted:
            pipeline.zcount(names.heartbeats(group), now - SILENT_SECONDS, now + SILENT_SECONDS)
        found: list[Any] = pipeline.execute(raise_on_error=False)
        return {group for group, count in zip(wanted, found, strict=True) if isinstance(count, int) and count > 0}
