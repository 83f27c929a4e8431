"""From Redis to the rooms: each live process listens by itself and emits to its own clients."""

import contextlib
import time
from typing import Any, Protocol

import orjson
from redis import Redis, RedisError
from redis.client import PubSub

from background import Complaints
from live.snapshots import Throttle, top_of
from queues import names
from queues.book_cache import BookCache
from queues.listening import next_message

LISTEN_SECONDS = 0.1
"""How long one look for a message may take, and so how late a snapshot may be."""

GATHER_SECONDS = 0.025
"""From one flush to the next, at least. A lone message leaves at once; on a busy stock a client is sent all that came
meanwhile in one call, which is what a delivery costs."""

PING_SECONDS = 1.0
"""Who only listens hears the same from a Redis that hangs as from one with no news: so it is asked now and then."""

MOST_TURNS = 200
"""Announcements between two flushes, so that a flood cannot keep one from happening."""


class Rooms(Protocol):
    """Where messages go to."""

    def has_members(self, room: str) -> bool:
        """True if anybody would hear a message to `room`."""
        ...

    def emit(self, event: str, payload: dict[str, Any], room: str) -> None:
        """Gather a message for the next `flush`."""
        ...

    def flush(self) -> None:
        """Send what was gathered."""
        ...


class Relay:
    """Passes what a worker announced on to whoever is in the room."""

    def __init__(self, redis: Redis, rooms: Rooms, interval: float) -> None:
        self.redis = redis
        self.rooms = rooms
        self.cache = BookCache(redis)
        self.throttle = Throttle(interval)
        self._channel: PubSub | None = None
        self._flushed_at = self._pinged_at = 0.0
        self._junk = Complaints()
        self.connected = False
        """Whether Redis is being listened to just now."""

    def run_once(self) -> None:
        """Pass on what waits, or listen for LISTEN_SECONDS. Raises RedisError; then it listens anew the next time."""
        try:
            if self._channel is None:
                self._channel = self.redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
                self._channel.subscribe(names.EVENTS_CHANNEL)
            self.connected = True
            self._take_turn(self._channel)
            if self._flushed_at - self._pinged_at > PING_SECONDS:
                self._pinged_at = self._flushed_at
                self.redis.ping()
        except BaseException:
            self._hang_up()
            raise

    def relay(self, body: bytes) -> None:
        """Gather one turn's messages to the rooms that have members; what is no turn of ours is logged and left."""
        try:
            self._gather(orjson.loads(body))
        except Exception as error:  # noqa: BLE001 - logged, whatever it is
            self._junk.say(error, "what was published cannot be relayed", is_expected=False)

    def _gather(self, turn: Any) -> None:
        for message in turn["messages"]:
            room = message["room"]
            if self.rooms.has_members(room):
                self.rooms.emit(message["event"], message["payload"], room)
        self.throttle.change(symbol for symbol in turn["books"] if self.rooms.has_members(names.room("book", symbol)))

    def send_snapshots(self, now: float) -> None:
        """Gather the snapshots that are due at `now` (seconds)."""
        for symbol in self.throttle.due(now):
            snapshot = self.cache.get(symbol)
            if snapshot is not None:
                self.rooms.emit("BOOK_SNAPSHOT", top_of(snapshot), names.room("book", symbol))

    def _take_turn(self, channel: PubSub) -> None:
        """Pass on what waits, but not within GATHER_SECONDS of the last time."""
        message = next_message(channel, LISTEN_SECONDS)
        early = self._flushed_at + GATHER_SECONDS - time.monotonic()
        if message is not None and early > 0:
            time.sleep(early)
        self._flushed_at = time.monotonic()
        turns = 0
        while message is not None:
            self.relay(message)
            turns += 1
            message = next_message(channel, 0) if turns < MOST_TURNS else None
        self.send_snapshots(self._flushed_at)
        self.rooms.flush()

    def _hang_up(self) -> None:
        self.connected = False
        channel, self._channel = self._channel, None
        if channel is not None:
            with contextlib.suppress(RedisError):
                channel.close()
