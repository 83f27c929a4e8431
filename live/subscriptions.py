"""What may be subscribed to, and where it stands at that moment."""

from __future__ import annotations

from typing import Any

from flask_socketio import SocketIO, join_room, leave_room
from sqlalchemy import Engine

from database.session import transaction
from live.channels import Channel, parse_channels
from live.snapshots import top_of
from queues.book_cache import BookCache
from services.errors import UnknownStock
from services.market_data.book import read_book, read_tape

MALFORMED = "malformed_request"
UNKNOWN_EVENT = "unknown_event"


class Subscriptions:
    """The events that clients send. Each is answered by an acknowledgement, if the client asks for one."""

    def __init__(self, sockets: SocketIO, engine: Engine, cache: BookCache) -> None:
        self._engine = engine
        self._cache = cache
        sockets.on_event("subscribe", self._subscribe)
        sockets.on_event("unsubscribe", self._unsubscribe)
        sockets.on_event("*", self._refuse)

    def _subscribe(self, *arguments: Any) -> dict[str, Any]:
        try:
            channels, unknown = parse_channels(*arguments)
        except ValueError as error:
            return _malformed(error)
        snapshots: dict[str, Any] = {}
        for channel in channels:
            snapshot = self._join(channel)
            if snapshot is None:
                unknown.append(channel.room)
            else:
                snapshots[channel.room] = snapshot
        return {"channels": snapshots, "unknown": unknown}

    def _unsubscribe(self, *arguments: Any) -> dict[str, Any]:
        try:
            channels, unknown = parse_channels(*arguments)
        except ValueError as error:
            return _malformed(error)
        for channel in channels:
            leave_room(channel.room)
        return {"channels": [channel.room for channel in channels], "unknown": unknown}

    def _refuse(self, event: str, *_: Any) -> dict[str, str]:
        return {"error": "There are only subscribe and unsubscribe.", "code": UNKNOWN_EVENT}

    def _join(self, channel: Channel) -> dict[str, Any] | None:
        """Join the channel's room; its snapshot. None, and not joined, for a stock that is not listed."""
        # Joined before the snapshot is read: what happens in between arrives twice rather than never.
        join_room(channel.room)
        stays = False
        try:
            snapshot = self._snapshot(channel)
            stays = True
            return snapshot
        except UnknownStock:
            return None
        finally:
            if not stays:
                leave_room(channel.room)

    def _snapshot(self, channel: Channel) -> dict[str, Any]:
        """The snapshot of the channel as it is now, with its sequence. Raises UnknownStock."""
        with transaction(self._engine) as session:
            if channel.kind == "stock":
                return read_tape(session, channel.symbol)
            book = read_book(session, channel.symbol, self._cache.get(channel.symbol))
        return top_of(book)


def _malformed(error: ValueError) -> dict[str, str]:
    return {"error": str(error), "code": MALFORMED}
