"""What clients follow over Socket.IO, and where it stands at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask_socketio import SocketIO

from live.channels import STOCK, Channel, parse_channels
from live.connections import socket_id
from live.feeds.hub import Hub
from live.feeds.loading import STOCKS_AT_ONCE, Loading
from live.listeners import SocketListeners
from live.refusals import BUSY, SENTENCES
from services.market_data.book import read_tapes

MALFORMED = "malformed_request"
UNKNOWN_EVENT = "unknown_event"
TOO_MANY_CHANNELS = "too_many_channels"

TRIES: Final = 20
"""A tape may go on while its state is being read; then it is read again."""


class Subscriptions:
    """The events that clients send. Each is answered by an acknowledgement, if the client asks for one."""

    def __init__(self, sockets: SocketIO, hub: Hub, loading: Loading, listeners: SocketListeners, most: int) -> None:
        """`most`: the channels that one client may be subscribed to."""
        self._hub = hub
        self._loading = loading
        self._listeners = listeners
        self._most = most
        sockets.on_event("subscribe", self._subscribe)
        sockets.on_event("unsubscribe", self._unsubscribe)
        sockets.on_event("*", self._refuse)

    def _subscribe(self, *arguments: Any) -> dict[str, Any]:
        try:
            channels, unknown = parse_channels(*arguments)
        except ValueError as error:
            return _error(str(error), MALFORMED)
        listener = self._listeners.of(socket_id())
        if listener is None:
            return _error(SENTENCES[BUSY], BUSY)
        new = [channel for channel in channels if channel.room not in listener.feeds]
        if len(listener.feeds) + len(new) > self._most:
            return _error(f"At most {self._most} channels on one connection.", TOO_MANY_CHANNELS)
        self._loading.load(channels)
        try:
            tapes = self._tapes([channel for channel in channels if channel.kind == STOCK])
        except TimeoutError:
            return _error(SENTENCES[BUSY], BUSY)
        found = {}
        # From here on nothing waits, so what is answered is where everything stands: all behind it will come.
        for channel in channels:
            feed = self._hub.feeds.get(channel.room)
            if feed is None:
                unknown.append(channel.room)
                continue
            snapshot = self._hub.follow(listener, channel) if channel.room not in listener.feeds else feed.snapshot()
            found[channel.room] = tapes[channel.symbol] | snapshot if channel.kind == STOCK else snapshot
        return {"channels": found, "unknown": unknown}

    def _unsubscribe(self, *arguments: Any) -> dict[str, Any]:
        try:
            channels, unknown = parse_channels(*arguments)
        except ValueError as error:
            return _error(str(error), MALFORMED)
        listener = self._listeners.of(socket_id())
        for channel in channels:
            if listener is not None and channel.room in listener.feeds:
                listener.feeds[channel.room].leave(listener)
        return {"channels": [channel.room for channel in channels], "unknown": unknown}

    def _refuse(self, event: str, *_: Any) -> dict[str, str]:
        return _error("There are only subscribe, unsubscribe and authenticate.", UNKNOWN_EVENT)

    def _tapes(self, channels: Sequence[Channel]) -> dict[str, dict[str, Any]]:
        """The states of these stocks, by symbol: each no older than its feed is, for what comes behind that is told."""
        found: dict[str, dict[str, Any]] = {}
        for _ in range(TRIES):
            old = [channel.symbol for channel in channels if self._is_old(channel, found)]
            if not old:
                return found
            for begin in range(0, len(old), STOCKS_AT_ONCE):
                found |= self._loading.read(read_tapes, old[begin : begin + STOCKS_AT_ONCE])
        raise TimeoutError("the tapes go on faster than they can be read")

    def _is_old(self, channel: Channel, found: dict[str, dict[str, Any]]) -> bool:
        feed = self._hub.tape(channel.symbol)
        return feed is not None and found.get(channel.symbol, {"sequence": -1})["sequence"] < feed.number


def _error(sentence: str, code: str) -> dict[str, str]:
    return {"error": sentence, "code": code}
