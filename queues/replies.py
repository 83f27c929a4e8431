"""Hear from the worker that a command was settled, without asking PostgreSQL again and again.

A reply is only a hint to look: it is lost when Redis is away, so whoever waits also looks from time to time.
"""

import logging
import secrets
import threading
import time
from types import TracebackType

import orjson
from redis import Redis, RedisError

from queues import names
from queues.bus import SEPARATOR

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""Pause before the listener connects to Redis again."""


class Expected:
    """One awaited reply. `address` goes along with the command; use as a context manager."""

    def __init__(self, replies: "Replies", token: str) -> None:
        self._replies = replies
        self._token = token
        self._arrived = threading.Event()
        self.address = f"{replies.process}{SEPARATOR}{token}"

    def wait(self, seconds: float) -> bool:
        """Wait for the reply, `seconds` at most; True if it has come."""
        return self._arrived.wait(seconds)

    def arrive(self) -> None:
        """Let whoever waits go on."""
        self._arrived.set()

    def __enter__(self) -> "Expected":
        self._replies.add(self._token, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._replies.remove(self._token)


class Replies:
    """The replies that one process waits for; its listener starts with the first of them."""

    def __init__(self, redis: Redis) -> None:
        self.process = secrets.token_hex(8)
        self._redis = redis
        self._expected: dict[str, Expected] = {}
        self._lock = threading.Lock()
        self._listener: threading.Thread | None = None
        self._stopped = threading.Event()

    def expect(self) -> Expected:
        """A new reply to wait for."""
        with self._lock:
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="replies", daemon=True)
                self._listener.start()
        return Expected(self, secrets.token_hex(8))

    def add(self, token: str, expected: Expected) -> None:
        """From now on replies to `token` reach `expected`."""
        self._expected[token] = expected

    def remove(self, token: str) -> None:
        """Nobody waits for `token` any more."""
        self._expected.pop(token, None)

    def close(self) -> None:
        """Stop listening."""
        self._stopped.set()

    def deliver(self, message: bytes) -> None:
        """Pass a message of the worker, a JSON array of tokens, on to those who wait for them.

        Anything else is logged and forgotten: the listener must hear what comes next.
        """
        try:
            tokens = orjson.loads(message)
        except ValueError as error:
            log.warning("a reply cannot be read: %s", error)
            return
        for token in tokens if isinstance(tokens, list) else []:
            expected = self._expected.get(token) if isinstance(token, str) else None
            if expected is not None:
                expected.arrive()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen_once()
            except RedisError as error:
                log.warning("Redis is away, waiting requests look for themselves: %s", error)
                time.sleep(RETRY_SECONDS)

    def _listen_once(self) -> None:
        with self._redis.pubsub(  # type: ignore[no-untyped-call]
            ignore_subscribe_messages=True
        ) as channel:
            channel.subscribe(names.replies_channel(self.process))
            while not self._stopped.is_set():
                message = channel.get_message(timeout=RETRY_SECONDS)
                if message is not None:
                    self.deliver(message["data"])
