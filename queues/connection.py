"""Connections to Redis that fail fast: the exchange goes on without Redis, so nobody waits for it for long."""

from redis import Redis

from queues.breaker import breaker_of
from settings import servers


def connect(settings: servers.Redis, *, patience_ms: int | None = None) -> Redis:
    """A pooled client; commands fail after `timeout_ms` (or `patience_ms`, for those that block on purpose).

    Once one has failed, all of this process fail at once until Redis answers again (`queues.breaker`).
    """
    seconds = settings.timeout_ms / 1000
    return Redis.from_url(
        settings.url,
        socket_timeout=(patience_ms or settings.timeout_ms) / 1000,
        socket_connect_timeout=seconds,
        retry=breaker_of(settings.url, seconds),
        health_check_interval=0,
    )
