"""Hear from the worker what became of a command, without asking PostgreSQL.

A reply is lost when Redis is away, so whoever waits also looks from time to time.
"""

import contextlib
import itertools
import logging
import secrets
import threading
from types import TracebackType
from typing import Any

import orjson
from redis import Redis, RedisError
from redis.client import PubSub

from background import Task, Tasks
from queues import names
from queues.bus import SEPARATOR
from queues.listening import next_message

log = logging.getLogger(__name__)

LISTEN_SECONDS = 1.0
"""How long one look for a reply may take."""

FRESH_SECONDS = 3.0


class Expected:
    """One awaited reply. `address` goes along with the command; use as a context manager."""

    def __init__(self, replies: "Replies", token: str) -> None:
        self._replies = replies
        self._token = token
        self._arrived = threading.Lock()  # patched by gevent an Event costs four times as much
        self._arrived.acquire()
        self.address = f"{replies.process}{SEPARATOR}{token}"
        self.became: Any = None
        """What the worker said of the command, once `wait` has been true."""

    def wait(self, seconds: float) -> bool:
        """Wait for the reply, `seconds` at most; True if it has come. Once: it is taken then."""
        return self._arrived.acquire(timeout=seconds)

    def arrive(self, became: Any) -> None:
        """Let whoever waits go on."""
        self.became = became
        if self._arrived.locked():
            self._arrived.release()

    def __enter__(self) -> "Expected":
        self._replies.add(self._token, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._replies.remove(self._token)


class Replies:
    """The replies that one process waits for; its listener starts with the first of them."""

    def __init__(self, redis: Redis, tasks: Tasks) -> None:
        self.process = secrets.token_hex(8)
        self._redis = redis
        self._tokens = itertools.count(1)
        self._expected: dict[str, Expected] = {}
        self._channel: PubSub | None = None
        self._listener = tasks.add(
            Task(
                "replies",
                self.run_once,
                failure="Redis is away, waiting requests look for themselves",
                fresh_seconds=FRESH_SECONDS,
                expected=(RedisError,),
            )
        )

    def expect(self) -> Expected:
        """A new reply to wait for."""
        self._listener.start()
        return Expected(self, str(next(self._tokens)))

    def add(self, token: str, expected: Expected) -> None:
        """From now on replies to `token` reach `expected`."""
        self._expected[token] = expected

    def remove(self, token: str) -> None:
        """Nobody waits for `token` any more."""
        self._expected.pop(token, None)

    def close(self) -> None:
        """Stop listening."""
        self._listener.stop()

    def deliver(self, message: bytes) -> None:
        """Pass a message of the worker, a JSON object of what became of commands by token, on to those who wait.

        Anything else is logged and forgotten: the listener must hear what comes next.
        """
        try:
            told = orjson.loads(message)
        except ValueError as error:
            log.warning("a reply cannot be read: %s", error)
            return
        for token, became in told.items() if isinstance(told, dict) else ():
            expected = self._expected.get(token)
            if expected is not None:
                expected.arrive(became)

    def run_once(self) -> None:
        """Wait for a reply, LISTEN_SECONDS at most. Raises RedisError; then it listens anew the next time."""
        try:
            if self._channel is None:
                self._channel = self._redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
                self._channel.subscribe(names.replies_channel(self.process))
            message = next_message(self._channel, LISTEN_SECONDS)
            if message is not None:
                self.deliver(message)
        except BaseException:
            channel, self._channel = self._channel, None
            if channel is not None:
                with contextlib.suppress(RedisError):
                    channel.close()
            raise
