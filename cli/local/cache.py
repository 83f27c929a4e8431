"""A Redis that others run: whether it lets us in."""

from __future__ import annotations

from collections.abc import Callable

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cli.exits import NOT_RUNNING
from cli.local.connection_errors import explained
from cli.terminal import CommandError

CONNECT_SECONDS = 5
OLDEST = (6, 2)


def version_of(url: str) -> str:
    """The version of the Redis (or of the one that a Valkey stands in for). Raises CommandError."""
    once = Retry(NoBackoff(), 0)
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS, retry=once
        ) as client:
            return str(client.info("server")["redis_version"])
    except redis.RedisError as error:
        raise explained(error) or error from error


def is_new_enough(version: str) -> bool:
    """True if the queues can work with this version."""
    return tuple(int(part) for part in version.split(".")[:2]) >= OLDEST


def must_let_in(url: str, tell: Callable[[str], None]) -> None:
    """Raises CommandError where Redis answers and refuses; while it is away the exchange goes on without it."""
    try:
        version_of(url)
    except CommandError as error:
        if error.code != NOT_RUNNING:
            raise
        tell(f"{error.message}; going on without it")
