"""How a process hears what is published."""

import contextlib
import logging
import time

from redis import Redis, RedisError
from redis.client import PubSub

log = logging.getLogger(__name__)


def next_message(channel: PubSub, seconds: float) -> bytes | None:
    """What was published next on what `channel` is subscribed to; None if nothing has come within `seconds`.

    Raises RedisError; then `channel` is of no more use.
    """
    announced = next_announcement(channel, seconds)
    return None if announced is None else announced[1]


def next_announcement(channel: PubSub, seconds: float) -> tuple[str, bytes] | None:
    """The same with the name of where it was published.

    What has begun to come is waited for as long as any answer of Redis: a long message comes in pieces, and
    `PubSub.get_message` takes the time that there may be none for the time that the rest of one may take. Raises
    RedisError; then `channel` is of no more use.
    """
    connection = channel.connection
    if connection is None:
        raise RedisError("nothing is subscribed to")
    if not connection.can_read(timeout=seconds):
        return None
    message = channel.get_message(timeout=connection.socket_timeout)
    return None if message is None else (message["channel"].decode(), message["data"])


class Doorbell:
    """A channel of which matters above all that something is published: what is published may be lost."""

    def __init__(self, redis: Redis, channel: str) -> None:
        self._redis = redis
        self._name = channel
        self._channel: PubSub | None = None
        self._is_away = False

    def wait(self, seconds: float) -> list[bytes]:
        """What has been published since the last time; at most so long until there is something, Redis away or not."""
        began = time.monotonic()
        heard = []
        try:
            if self._channel is None:
                self._channel = self._redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
                self._channel.subscribe(self._name)
            message = next_message(self._channel, seconds)
            while message is not None:
                heard.append(message)
                message = next_message(self._channel, 0)
            self._is_away = False
        except RedisError as error:
            if not self._is_away:
                log.warning("Redis is away, nothing rings: %s", error)
                self._is_away = True
            self._hang_up()
            time.sleep(max(0.0, began + seconds - time.monotonic()))
        return heard

    def _hang_up(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            with contextlib.suppress(RedisError):
                channel.close()
