"""Connections to Redis that fail fast: the exchange goes on without Redis, so nobody waits for it for long."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from settings import sections


def connect(settings: sections.Redis, *, patience_ms: int | None = None) -> Redis:
    """A pooled client; commands fail after `timeout_ms` (or `patience_ms`, for those that block on purpose)."""
    seconds = (patience_ms or settings.timeout_ms) / 1000
    return Redis.from_url(
        settings.url,
        socket_timeout=seconds,
        socket_connect_timeout=settings.timeout_ms / 1000,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=0,
    )
