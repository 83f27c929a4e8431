"""Commands to Redis past redis-py's client: written by us, over its connections, several in one round trip.

A command through the client takes 100 µs of Python, most of it for what an exchange has no use for: pools that look
whether a connection is still good, records for observers, answers for each kind of command. Through a connection that
is kept it takes 25. For what every group of orders and every turn asks; all else goes by the client.
"""

import hashlib
from collections import deque
from typing import Any

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ResponseError
from redis.retry import Retry

KEPT_AS = "direct"
"""What a pool remembers it as."""

Part = bytes | str | int | float


def packed(*parts: Part) -> bytes:
    """A command and its arguments as Redis reads them."""
    written = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
    return b"*%d\r\n%b" % (len(written), b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in written]))


class Direct:
    """Some connections of the pool of a client, kept for good; who finds one broken connects it again."""

    def __init__(self, redis: Redis) -> None:
        self._pool = redis.connection_pool
        self._retry: Any = redis.get_retry() or Retry(NoBackoff(), 0)
        self._free: deque[Any] = deque()

    def ask(self, *commands: bytes) -> list[Any]:
        """The answer to each command. Raises RedisError: the first that an answer was, or because there is none."""
        if not commands:
            return []
        found: list[Any] = self._retry.call_with_retry(lambda: self._ask(commands), lambda error: None)
        for answer in found:
            if isinstance(answer, RedisError):
                raise answer
        return found

    def _ask(self, commands: tuple[bytes, ...]) -> list[Any]:
        connection = self._free.pop() if self._free else self._pool.get_connection()
        try:
            connection.send_packed_command([b"".join(commands)], check_health=False)
            return [_answer_of(connection) for _ in commands]
        except BaseException:
            connection.disconnect()  # its answers may be under way
            raise
        finally:
            self._free.append(connection)


def direct(redis: Redis) -> Direct:
    """The one of this client: all who use the client share the connections."""
    pool: Any = redis.connection_pool
    found: Direct | None = getattr(pool, KEPT_AS, None)
    if found is None:
        found = Direct(redis)
        setattr(pool, KEPT_AS, found)
    return found


class DirectScript:
    """A script of ours; Redis is told it when it does not know it."""

    def __init__(self, direct: Direct, text: str) -> None:
        self._direct = direct
        self._text = text
        self._name = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - this is what Redis calls it

    def __call__(self, keys: list[Part], values: list[Part]) -> Any:
        """What it answers. Raises RedisError."""
        command = packed("EVALSHA", self._name, len(keys), *keys, *values)
        try:
            (found,) = self._direct.ask(command)
        except NoScriptError:
            _, found = self._direct.ask(packed("SCRIPT", "LOAD", self._text), command)
        return found


def _answer_of(connection: Any) -> Any:
    """An answer that is an error is given, not raised: those to the commands after it are still to be read."""
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
