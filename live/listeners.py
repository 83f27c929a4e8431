"""Clients over Socket.IO, as feeds tell them what there is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import socketio
from engineio import packet as engine_packet

from live.feeds.feed import Feed
from live.feeds.hub import Hub
from live.feeds.message import Batch
from live.packets import NAMESPACE
from live.sockets.web_socket import WebSocket

BEHIND_BYTES: Final = 32_768
"""What may wait for a client, beside what its kernel holds, before it gets only what can be put together."""


class SocketListener:
    """One client's socket. Only a client with something in Engine.IO's own queue is told through that queue."""

    def __init__(self, server: socketio.Server, session_id: str, web_socket: WebSocket) -> None:
        self.feeds: dict[str, Feed] = {}
        self.beaten_at = time.monotonic()
        self._server = server
        self._session_id = session_id
        self._web_socket = web_socket

    @property
    def is_behind(self) -> bool:
        """Whether it has left much unread."""
        return self._web_socket.outbox.waiting_bytes > BEHIND_BYTES

    def put(self, channel: str, batch: Batch) -> None:
        """Let messages wait for `flush`; whose channel they are of they say themselves."""
        if self._web_socket.takes_frames():
            self._web_socket.outbox.put(batch.frames)
        else:
            for message in batch.messages:
                packet = engine_packet.Packet(engine_packet.MESSAGE, message.packet)
                self._server.eio.send_packet(self._session_id, packet)

    def flush(self) -> None:
        """Give the kernel all that waits."""
        self._web_socket.outbox.flush()


class SocketListeners:
    """Those of one Socket.IO server, by the sockets' ids."""

    def __init__(self, server: socketio.Server, open_sockets: Mapping[str, WebSocket], hub: Hub) -> None:
        self._server = server
        self._open_sockets = open_sockets
        self._hub = hub
        self._known: dict[str, SocketListener] = {}

    def of(self, socket_id: str) -> SocketListener | None:
        """The listener of a socket; None for one whose connection has just ended."""
        known = self._known.get(socket_id)
        if known is None:
            session_id = self._server.manager.eio_sid_from_sid(socket_id, NAMESPACE)
            web_socket = self._open_sockets.get(session_id)
            if web_socket is None:
                return None
            known = self._known[socket_id] = SocketListener(self._server, session_id, web_socket)
            self._hub.listeners[known] = None
        return known

    def forget(self, socket_id: str) -> None:
        """The socket is gone, and follows nothing any more."""
        listener = self._known.pop(socket_id, None)
        if listener is not None:
            self._hub.forget(listener)
