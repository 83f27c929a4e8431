"""A Redis that others run: whether it lets us in, and what it lets us do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cli.exits import NOT_RUNNING
from cli.local.connection_errors import explained
from cli.terminal import CommandError
from queues.names import EVENTS_CHANNEL

CONNECT_SECONDS = 5
OLDEST = (6, 2)


@dataclass(frozen=True)
class Found:
    """A Redis as one of its users sees it."""

    version: str
    """Of Redis, or of the one that a Valkey stands in for where the user may ask for that."""
    user: str
    may_publish: bool
    """Whether live would believe what the user publishes: events of all brokers."""
    may_administer: bool

    def __str__(self) -> str:
        """In one line for people."""
        may = "may do everything"
        if not self.may_administer:
            may = "may publish events" if self.may_publish else "may not publish events"
        elif not self.may_publish:
            may = "may administer it, but not publish events"
        return f"{self.version}; the user {self.user} {may}"


def look_at_redis(url: str) -> Found:
    """What is there. Raises CommandError."""
    with _client(url) as client:
        may_publish, may_administer = (
            _would_do(client, *command)
            for command in (("PUBLISH", EVENTS_CHANNEL, ""), ("CONFIG", "GET", "maxclients"))
        )
        user = client.connection_pool.connection_kwargs.get("username") or "default"
        return Found(_version(client), user, may_publish, may_administer)


def is_new_enough(version: str) -> bool:
    """True if the queues can work with this version."""
    return tuple(int(part) for part in version.split(".")[:2]) >= OLDEST


def must_let_in(url: str, tell: Callable[[str], None]) -> None:
    """Raises CommandError where Redis answers and refuses; while it is away the exchange goes on without it."""
    try:
        with _client(url) as client:
            client.ping()
    except CommandError as error:
        if error.code != NOT_RUNNING:
            raise
        tell(f"{error.message}; going on without it")


@contextlib.contextmanager
def _client(url: str) -> Iterator[redis.Redis]:
    """A client with one connection; what it raises is explained."""
    once = Retry(NoBackoff(), 0)
    try:
        with redis.Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=CONNECT_SECONDS,
            retry=once,
            single_connection_client=True,
        ) as client:
            yield client
    except redis.RedisError as error:
        raise explained(error) or error from error


def _version(client: redis.Redis) -> str:
    try:
        return str(client.info("server")["redis_version"])
    except redis.exceptions.NoPermissionError:
        told = client.execute_command("HELLO")  # type: ignore[no-untyped-call]
        pairs = told if isinstance(told, dict) else dict(zip(told[::2], told[1::2], strict=True))
        return str(pairs[b"version"].decode())


def _would_do(client: redis.Redis, *command: str) -> bool:
    """True if the user may do `command`: a transaction refuses it at once, and this one is never carried out."""
    try:
        client.execute_command("MULTI")  # type: ignore[no-untyped-call]
    except redis.exceptions.NoPermissionError:
        return False
    try:
        client.execute_command(*command)  # type: ignore[no-untyped-call]
    except redis.exceptions.NoPermissionError:
        return False
    finally:
        client.execute_command("DISCARD")  # type: ignore[no-untyped-call]
    return True
