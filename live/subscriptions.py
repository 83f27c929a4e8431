"""What may be subscribed to, and where it stands at that moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from flask_socketio import SocketIO, join_room, leave_room
from sqlalchemy import Engine

from database.autocommit import autocommitting
from database.statements import Statements
from live.channels import Channel, parse_channels
from live.connections import socket_id
from live.snapshots import LEVELS, top_of
from queues.book_cache import BookCache
from services.market_data.book import read_books, read_tapes
from serving.places import Places
from serving.present import pause

MALFORMED = "malformed_request"
UNKNOWN_EVENT = "unknown_event"
TOO_MANY_CHANNELS = "too_many_channels"

STOCKS_AT_ONCE = 50
"""Looked up together, before others have their turn."""

LOOK_UPS = 4
"""Requests that are looked up at the same time: a crowd of subscribers must leave connections for those who come."""


Reader = Callable[[Statements, Sequence[str]], dict[str, Any]]


class Subscriptions:
    """The events that clients send. Each is answered by an acknowledgement, if the client asks for one."""

    def __init__(self, sockets: SocketIO, engine: Engine, cache: BookCache, most: int) -> None:
        """`most`: the channels that one client may be subscribed to."""
        self._engine = engine
        self._cache = cache
        self._most = most
        self._rooms: defaultdict[str, set[str]] = defaultdict(set)
        """Of each client who has subscribed, by the socket's id."""
        self._looking_up = Places(LOOK_UPS)
        sockets.on_event("subscribe", self._subscribe)
        sockets.on_event("unsubscribe", self._unsubscribe)
        sockets.on_event("*", self._refuse)

    def forget(self, client: str) -> None:
        """The socket with this id is gone."""
        self._rooms.pop(client, None)

    def _subscribe(self, *arguments: Any) -> dict[str, Any]:
        try:
            channels, unknown = parse_channels(*arguments)
        except ValueError as error:
            return _error(str(error), MALFORMED)
        rooms = self._rooms[socket_id()]
        new = [channel.room for channel in channels if channel.room not in rooms]
        if len(rooms) + len(new) > self._most:
            return _error(f"At most {self._most} channels on one connection.", TOO_MANY_CHANNELS)
        # Joined before the snapshots are read: what happens in between arrives twice rather than never.
        for room in new:
            join_room(room)
        found: dict[str, Any] = {}
        try:
            found = self._snapshots(channels)
        finally:
            for room in new:
                if room in found:
                    rooms.add(room)
                else:
                    leave_room(room)
        unknown += [channel.room for channel in channels if channel.room not in found]
        return {"channels": found, "unknown": unknown}

    def _unsubscribe(self, *arguments: Any) -> dict[str, Any]:
        try:
            channels, unknown = parse_channels(*arguments)
        except ValueError as error:
            return _error(str(error), MALFORMED)
        rooms = self._rooms[socket_id()]
        for channel in channels:
            if channel.room in rooms:
                rooms.discard(channel.room)
                leave_room(channel.room)
        return {"channels": [channel.room for channel in channels], "unknown": unknown}

    def _refuse(self, event: str, *_: Any) -> dict[str, str]:
        return _error("There are only subscribe and unsubscribe.", UNKNOWN_EVENT)

    def _snapshots(self, channels: Sequence[Channel]) -> dict[str, Any]:
        """Where the channels stand now, by room and in their order; those of stocks that are not listed are left out.

        Raises what the database raises.
        """
        tapes = self._read([channel.symbol for channel in channels if channel.kind == "stock"], read_tapes)
        books = self._read([channel.symbol for channel in channels if channel.kind == "book"], self._books)
        found = {
            channel.room: (tapes if channel.kind == "stock" else books).get(channel.symbol) for channel in channels
        }
        return {room: snapshot for room, snapshot in found.items() if snapshot is not None}

    def _read(self, symbols: Sequence[str], read: Reader) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for begin in range(0, len(symbols), STOCKS_AT_ONCE):
            with self._looking_up.one(), autocommitting(self._engine) as session:
                found.update(read(session, symbols[begin : begin + STOCKS_AT_ONCE]))
            pause()
        return found

    def _books(self, session: Statements, symbols: Sequence[str]) -> dict[str, Any]:
        books = read_books(session, symbols, self._cache.get_all(symbols), LEVELS)
        return {symbol: top_of(book) for symbol, book in books.items()}


def _error(sentence: str, code: str) -> dict[str, str]:
    return {"error": sentence, "code": code}
