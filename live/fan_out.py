"""One message to all of a room, at a cost for each client of little more than the system call.

The library would queue each packet for each client, wake a greenlet for it, frame it anew and send it alone. Here
messages are gathered, each is encoded and framed once, and a client gets all that was gathered in one call. Only a
client with something in Engine.IO's own queue gets them through that queue, so that nothing overtakes anything.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import gevent
import socketio
from engineio import packet as engine_packet
from socketio import packet as socket_packet

from live.packets import NAMESPACE
from live.sockets.frames import text_frame
from live.sockets.outbox import Outbox
from live.sockets.web_socket import WebSocket

CLIENTS_AT_ONCE = 250
"""Sends before other greenlets have their turn: about 2 ms."""


class FanOut:
    """The rooms of one Socket.IO server, as the relay uses them."""

    def __init__(self, server: socketio.Server, open_sockets: Mapping[str, WebSocket]) -> None:
        self.server = server
        self._open_sockets = open_sockets
        self._gathered: list[tuple[str, engine_packet.Packet]] = []

    def has_members(self, room: str) -> bool:
        """True if anybody would hear a message to `room`."""
        return bool(self.server.manager.rooms.get(NAMESPACE, {}).get(room))

    def emit(self, event: str, payload: dict[str, Any], room: str) -> None:
        """Gather a message for the next `flush`."""
        text = socket_packet.Packet(socket_packet.EVENT, data=[event, payload]).encode()
        self._gathered.append((room, engine_packet.Packet(engine_packet.MESSAGE, text)))

    def flush(self) -> None:
        """Send what was gathered. Each client gets its messages in the order in which they were gathered."""
        gathered, self._gathered = self._gathered, []
        written: dict[Outbox, None] = {}
        for room, run in itertools.groupby(gathered, itemgetter(0)):
            self._write(room, [packet for _, packet in run], written)
        for number, outbox in enumerate(written, 1):
            outbox.flush()
            if number % CLIENTS_AT_ONCE == 0:
                gevent.sleep(0)

    def _write(self, room: str, packets: list[engine_packet.Packet], written: dict[Outbox, None]) -> None:
        """Put `packets` where each member of the room reads; outboxes to be flushed are added to `written`."""
        frames = b"".join([text_frame(packet.encode()) for packet in packets])
        for _, session_id in self.server.manager.get_participants(NAMESPACE, room):
            web_socket = self._open_sockets.get(session_id)
            if web_socket is None:
                continue  # its connection ended a moment ago, and it is about to leave the room
            if web_socket.takes_frames():
                web_socket.outbox.put(frames)
                written[web_socket.outbox] = None
            else:
                for packet in packets:
                    self.server.eio.send_packet(session_id, packet)
