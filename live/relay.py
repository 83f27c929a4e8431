"""From Redis to the rooms: each live process listens by itself and emits to its own clients."""

import logging
import time
from collections.abc import Callable
from typing import Any

import orjson
from redis import Redis, RedisError

from live.snapshots import Throttle, top_of
from queues import names
from queues.book_cache import BookCache

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
LISTEN_SECONDS = 0.1
"""How long one look for a message may take, and so how late a snapshot may be."""

Emit = Callable[[str, dict[str, Any], str], None]
"""event, payload, room"""


class Relay:
    """Passes what a worker announced on to whoever is in the room."""

    def __init__(self, redis: Redis, emit: Emit, has_members: Callable[[str], bool], interval: float) -> None:
        self.redis = redis
        self.emit = emit
        self.has_members = has_members
        self.cache = BookCache(redis)
        self.throttle = Throttle(interval)
        self.connected = False
        """Whether Redis is being listened to just now."""

    def run(self) -> None:
        """Listen for ever; while Redis is away, try again."""
        while True:
            try:
                self._listen()
            except RedisError as error:
                log.warning("Redis is away, nothing is relayed: %s", error)
            self.connected = False
            time.sleep(RETRY_SECONDS)

    def relay(self, body: bytes) -> None:
        """Emit one turn's messages to the rooms that have members."""
        turn = orjson.loads(body)
        for message in turn["messages"]:
            room = message["room"]
            if self.has_members(room):
                self.emit(message["event"], message["payload"], room)
        self.throttle.change(symbol for symbol in turn["books"] if self.has_members(f"book:{symbol}"))

    def send_snapshots(self, now: float) -> None:
        """Emit the snapshots that are due at `now` (seconds)."""
        for symbol in self.throttle.due(now):
            snapshot = self.cache.get(symbol)
            if snapshot is not None:
                self.emit("BOOK_SNAPSHOT", top_of(snapshot), f"book:{symbol}")

    def _listen(self) -> None:
        with self.redis.pubsub(ignore_subscribe_messages=True) as channel:
            channel.subscribe(names.EVENTS_CHANNEL)
            self.connected = True
            while True:
                message = channel.get_message(timeout=LISTEN_SECONDS)
                if message is not None:
                    self.relay(message["data"])
                self.send_snapshots(time.monotonic())
