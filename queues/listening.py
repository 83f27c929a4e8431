"""How a process hears what is published."""

from redis import RedisError
from redis.client import PubSub


def next_message(channel: PubSub, seconds: float) -> bytes | None:
    """What was published next on what `channel` is subscribed to; None if nothing has come within `seconds`.

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
    return None if message is None else message["data"]
