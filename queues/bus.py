"""What a committed turn tells the other processes, in one round trip."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import orjson
from redis import Redis, RedisError

from queues import names
from queues.direct import direct, packed
from queues.webhook_wakeups import WebhookWakeups

log = logging.getLogger(__name__)

Snapshots = Mapping[str, Mapping[str, Any]]
"""Books by symbol."""

NO_SNAPSHOTS: Snapshots = {}

SEPARATOR = "/"
"""Between a process and its waiting request in a reply's address."""

Replies = Sequence[tuple[str, Any]]
"""For each command that somebody waits for: his address, and what became of the command, as JSON can say it."""

MOST_TOGETHER = 2_000
"""Messages in one announcement: what Redis keeps for a listener, and what that one reads at once, has its limits."""


BOOKS: Final = b'"books":'


def books_of(body: bytes) -> list[str]:
    """The symbols of the books that what a Bus has published says are others: the end of it, without all the rest."""
    found: list[str] = orjson.loads(body[body.rindex(BOOKS) + len(BOOKS) : -1])
    return found


class Bus:
    """Publishes messages for rooms, snapshots of books and replies to whoever waits."""

    def __init__(self, redis: Redis, channel: str = names.EVENTS_CHANNEL) -> None:
        self._direct = direct(redis)
        self._channel = channel
        self._senders = WebhookWakeups(redis)

    def announce(
        self,
        messages: Sequence[Mapping[str, Any]],
        snapshots: Snapshots = NO_SNAPSHOTS,
        replies: Replies = (),
        changed: Sequence[str] | None = None,
    ) -> bool:
        """Publish `messages` ({room, event, payload}), cache `snapshots` by symbol, answer `replies`.

        `changed`: the books that listeners may want to look at; by default those of `snapshots`. False when Redis is
        away: that is logged, never fatal. What was to be told can be read from PostgreSQL, and sequences show a
        listener what it missed.
        """
        commands = _shown(snapshots, replies)
        changed = list(snapshots) if changed is None else changed
        pieces = [messages[begin : begin + MOST_TOGETHER] for begin in range(0, len(messages), MOST_TOGETHER)]
        if changed and not pieces:
            pieces = [()]
        for number, piece in enumerate(pieces):
            body = {"messages": piece, "books": [] if number else changed}
            commands.append(packed("PUBLISH", self._channel, orjson.dumps(body)))
        return self._send(commands, len(messages))

    def wake_senders(self, broker_ids: Collection[int]) -> bool:
        """Have these brokers' receivers told what there is for them; False when Redis is away."""
        return self._senders.wake(broker_ids)

    def show(self, snapshots: Snapshots, replies: Replies) -> bool:
        """Only cache `snapshots` and answer `replies`; False when Redis is away."""
        return self._send(_shown(snapshots, replies), 0)

    def _send(self, commands: Sequence[bytes], messages: int) -> bool:
        try:
            self._direct.ask(*commands)
        except RedisError as error:
            log.warning("Redis is away, %d messages were not published: %s", messages, error)
            return False
        return True


def _shown(snapshots: Snapshots, replies: Replies) -> list[bytes]:
    commands = []
    if snapshots:
        pairs = [(names.book(symbol), orjson.dumps(snapshot)) for symbol, snapshot in snapshots.items()]
        commands.append(packed("MSET", *[part for pair in pairs for part in pair]))
    for process, told in _by_process(replies).items():
        commands.append(packed("PUBLISH", names.replies_channel(process), orjson.dumps(told)))
    return commands


def _by_process(replies: Replies) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for address, became in replies:
        process, _, token = address.partition(SEPARATOR)
        told.setdefault(process, {})[token] = became
    return told
