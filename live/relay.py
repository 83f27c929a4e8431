"""From Redis to the feeds: each live process listens by itself and tells its own clients."""

import contextlib
import time

import orjson
from redis import Redis, RedisError
from redis.client import PubSub

from background import Complaints
from live.feeds.hub import Hub
from queues import names
from queues.book_cache import BookCache
from queues.listening import next_announcement

LISTEN_SECONDS = 0.1
"""How long one look for a message may take, and so how late a snapshot may be."""

GATHER_SECONDS = 0.025
"""From one flush to the next, at least. A lone message leaves at once; on a busy stock a client is sent all that came
meanwhile in one call, which is what a delivery costs."""

PING_SECONDS = 1.0
"""Who only listens hears the same from a Redis that hangs as from one with no news: so it is asked now and then."""

MOST_TURNS = 200
"""Announcements between two flushes, so that a flood cannot keep one from happening."""


class Relay:
    """Passes what was announced on to the feeds, and has them tell it."""

    def __init__(self, redis: Redis, hub: Hub) -> None:
        self.redis = redis
        self.hub = hub
        self.cache = BookCache(redis)
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
                self._channel.subscribe(names.EVENTS_CHANNEL, names.REPORTS_CHANNEL)
            self._take_turn(self._channel)
            self.connected = True
            if self._flushed_at - self._pinged_at > PING_SECONDS:
                self._pinged_at = self._flushed_at
                self.redis.ping()
        except BaseException:
            self._hang_up()
            raise

    def relay(self, channel: str, body: bytes) -> None:
        """Give the feeds what one announcement says; what is none of ours is logged and left."""
        try:
            said = orjson.loads(body)
            if channel == names.REPORTS_CHANNEL:
                self.hub.take_report(said["messages"])
            else:
                self.hub.take_turn(said["messages"], said["books"])
        except Exception as error:  # noqa: BLE001 - logged, whatever it is
            self._junk.say(error, "what was published cannot be relayed", is_expected=False)

    def look_at_books(self) -> None:
        """Show the books that are others now. One that Redis does not have is found in PostgreSQL, a little later."""
        changed, self.hub.changed_books = self.hub.changed_books, set()
        if changed:
            for symbol, snapshot in self.cache.get_all(sorted(changed)).items():
                if "book_sequence" in snapshot:
                    self.hub.show(symbol, snapshot)

    def _take_turn(self, channel: PubSub) -> None:
        """Pass on what waits, but not within GATHER_SECONDS of the last time."""
        message = next_announcement(channel, LISTEN_SECONDS)
        early = self._flushed_at + GATHER_SECONDS - time.monotonic()
        if message is not None and early > 0:
            time.sleep(early)
        self._flushed_at = time.monotonic()
        turns = 0
        while message is not None:
            self.relay(*message)
            turns += 1
            message = next_announcement(channel, 0) if turns < MOST_TURNS else None
        self.look_at_books()
        self.hub.flush()

    def _hang_up(self) -> None:
        self.connected = False
        channel, self._channel = self._channel, None
        if channel is not None:
            with contextlib.suppress(RedisError):
                channel.close()
