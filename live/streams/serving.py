"""Streams from beginning to end: each takes its connection over, and lasts until one of the two sides has had enough.

There are so many at most, and of one address so many: then its own longest idle one goes for the new one.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import gevent

from live.channels import ACCOUNT, Channel
from live.feeds.feed import Feed
from live.feeds.hub import Hub
from live.feeds.loading import Loading
from live.sockets.outbox import Outbox
from live.streams.opening import Opening
from live.streams.position import read_position
from live.streams.refusing import refusal
from live.streams.stream import COMMENT, Stream
from serving.open_connections import network_of

PIECE: Final = 1_024

DEAD_MILLISECONDS: Final = 30_000
"""After which a peer that takes nothing, and does not even say so, is gone."""

REPLACED: Final = "replaced"
"""Why a stream goes for a newer one of its address."""

HEAD: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


@dataclass
class Wanted:
    """What a request asks for, and for whom."""

    channels: Sequence[Channel]
    after: str
    """The position behind which it goes on, as the client says it; empty for none."""
    broker_id: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    enter: Callable[[], None] = lambda: None
    """Called when the stream is there: from now on it can be told something, and be ended."""

    @property
    def has_account(self) -> bool:
        """Whether it wants somebody's own events."""
        return any(channel.kind == ACCOUNT for channel in self.channels)


class Streams:
    """Those of one process."""

    def __init__(self, hub: Hub, loading: Loading, opening: Opening, most: int, most_of_address: int) -> None:
        self._hub = hub
        self._loading = loading
        self._opening = opening
        self._most = most
        self._most_of_address = most_of_address
        self._open: dict[str, tuple[str, Stream]] = {}
        """The address and the stream of each, by its name."""

    def __contains__(self, name: object) -> bool:
        return name in self._open

    def serve(self, environ: dict[str, Any], wanted: Wanted, name: str) -> None:
        """Serve one until it ends. Raises Refused, and what PostgreSQL raises, before it has begun."""
        address = network_of(environ.get("REMOTE_ADDR", ""))
        self._make_room(address)
        self._loading.load([channel for channel in wanted.channels if channel.kind != ACCOUNT])
        feeds = self._feeds(wanted)
        connection = environ["gunicorn.socket"]
        client, _ = connection.hand_over()
        connection.stays()
        outbox = Outbox(client)
        names = [channel.room for channel in wanted.channels]
        stream = Stream(self._hub, outbox, list(feeds), names)
        self._open[name] = address, stream
        wanted.enter()
        self._hub.listeners[stream] = None
        try:
            outbox.send(_head(wanted.headers) + COMMENT)
            position = read_position(wanted.after, names) if wanted.after else None
            self._opening.open(stream, feeds, position, came_back=bool(wanted.after))
            self._hub.beat_one(stream, datetime.now(UTC))
            _wait_for_end(client)
        finally:
            self._open.pop(name, None)
            self._hub.forget(stream)
            outbox.cut()

    def tell(self, name: str, event: str, payload: dict[str, Any]) -> None:
        """One event to the client of one stream."""
        self._open[name][1].say(event, payload)

    def end(self, name: str, code: str) -> None:
        """End one, telling its client why."""
        _, stream = self._open.pop(name)
        self._hub.forget(stream)
        stream.say("CLOSED", {"code": code})
        gevent.spawn(stream.finish)

    def _feeds(self, wanted: Wanted) -> dict[str, Feed]:
        """The feeds of the channels, in their order. Raises Refused."""
        feeds: dict[str, Feed] = {}
        for channel in wanted.channels:
            if channel.kind == ACCOUNT:
                assert wanted.broker_id is not None  # noqa: S101 - it was looked at at the door
                found: Feed | None = self._loading.load_account(wanted.broker_id)
            else:
                found = self._hub.feeds.get(channel.room)
            if found is None:
                raise refusal("unknown_stock")
            feeds[found.name] = found
        return feeds

    def _make_room(self, address: str) -> None:
        """Raises Refused where there is none."""
        own = {name: stream for name, (whose, stream) in self._open.items() if whose == address}
        if len(own) >= self._most_of_address:
            self.end(min(own, key=lambda name: own[name].told_at), REPLACED)
        elif len(self._open) >= self._most:
            raise refusal("busy")


def _head(more: Mapping[str, str]) -> bytes:
    lines: Iterable[str] = (f"{name}: {value}\r\n" for name, value in {**HEAD, **more}.items())
    return f"HTTP/1.1 200 OK\r\n{''.join(lines)}\r\n".encode()


def _wait_for_end(client: socket.socket) -> None:
    """Until the client goes, or is cut off. What it says meanwhile is passed over."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_MILLISECONDS)
    with contextlib.suppress(OSError):
        while client.recv(PIECE):
            continue
