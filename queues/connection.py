"""Connections to Redis that fail fast: the exchange goes on without Redis, so nobody waits for it for long."""

from typing import Final

from redis import BlockingConnectionPool, Redis

from queues.breaker import breaker_of
from settings import servers

MOST: Final = 100
"""Connections of one client. A crowd waits for one of them, instead of being told that Redis is away."""


def connect(settings: servers.Redis, *, patience_ms: int | None = None) -> Redis:
    """A pooled client; commands fail after `timeout_ms` (or `patience_ms`, for those that block on purpose).

    Once one has failed, all of this process fail at once until Redis answers again (`queues.breaker`).
    """
    seconds = settings.timeout_ms / 1000
    pool = BlockingConnectionPool.from_url(
        settings.url,
        max_connections=MOST,
        timeout=seconds,
        socket_timeout=(patience_ms or settings.timeout_ms) / 1000,
        socket_connect_timeout=seconds,
        retry=breaker_of(settings.url, seconds),
        health_check_interval=0,
    )
    return Redis.from_pool(pool)
