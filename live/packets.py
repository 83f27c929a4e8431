"""What a client may send: every packet is answered or ends the connection, and none is left hanging.

The library logs what it cannot understand and goes on, and the client waits for ever. It also takes events called
`connect` and `disconnect` for the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import socketio
from socketio import packet as packets
from structlog.contextvars import bind_contextvars, clear_contextvars
from wsproto.frame_protocol import CloseReason

from live.refusals import ALREADY_CONNECTED, MALFORMED_PACKET, UNKNOWN_NAMESPACE, UNUSABLE_AUTH, connect_error
from live.sockets.web_socket import WebSocket

NAMESPACE = "/"
RESERVED = frozenset({"connect", "connect_error", "disconnect", "*"})
"""Events that the libraries make up themselves; a client cannot send them."""

MALFORMED = "This is no packet of Socket.IO 5."
NOT_TAKEN = "Clients send only CONNECT, DISCONNECT and EVENT here."
NO_EVENT = 'An event is a list that begins with its name, as in ["subscribe", …].'
NOT_CONNECTED = "Send CONNECT first and wait for its answer."


class Reception:
    """Looks at every packet before the library handles it."""

    def __init__(self, server: socketio.Server, open_sockets: Mapping[str, WebSocket]) -> None:
        self._server = server
        self._open_sockets = open_sockets
        self._handle = server.eio.handlers["message"]
        server.eio.on("message", self.receive)

    def receive(self, session_id: str, text: str) -> None:
        """Handle one packet, answer it with an error, or end the connection.

        Log entries that are written meanwhile say of which socket they are, once it has an id.
        """
        socket_id = self._socket_id(session_id)
        if socket_id is not None:
            bind_contextvars(sid=socket_id)
        try:
            self._receive(session_id, text)
        finally:
            clear_contextvars()

    def _receive(self, session_id: str, text: str) -> None:
        packet = decoded(text)
        if packet is None:
            if text.startswith(str(packets.CONNECT)):
                self._answer(session_id, NAMESPACE, MALFORMED_PACKET)
            self._end(session_id, MALFORMED)
        elif packet.packet_type == packets.CONNECT:
            code = self._why_not(session_id, packet)
            if code:
                self._answer(session_id, packet.namespace, code)
            else:
                self._handle(session_id, text)
        else:
            why = self._fault_of(session_id, packet)
            if why:
                self._end(session_id, why)
            else:
                self._handle(session_id, text)

    def _why_not(self, session_id: str, packet: packets.Packet) -> str | None:
        """The code of the refusal of a CONNECT, None for one that may be tried."""
        if packet.namespace not in (None, NAMESPACE):
            return UNKNOWN_NAMESPACE
        if self._is_connected(session_id):
            return ALREADY_CONNECTED
        # What is false the library passes on as None, and it takes a bare number for the packet's id.
        overlooked = packet.id is not None or not (packet.data or packet.data in (None, {}))
        return UNUSABLE_AUTH if overlooked else None

    def _fault_of(self, session_id: str, packet: packets.Packet) -> str | None:
        """Why a packet other than CONNECT cannot be handled; None if it can."""
        if packet.packet_type == packets.DISCONNECT:
            return None
        if packet.packet_type != packets.EVENT or packet.attachment_count:
            return NOT_TAKEN
        if packet.namespace not in (None, NAMESPACE) or not self._is_connected(session_id):
            return NOT_CONNECTED
        return None if is_event(packet.data) else NO_EVENT

    def _is_connected(self, session_id: str) -> bool:
        return self._socket_id(session_id) is not None

    def _socket_id(self, session_id: str) -> str | None:
        """The Socket.IO id of the client with this Engine.IO session; None until it has sent CONNECT."""
        found: str | None = self._server.manager.sid_from_eio_sid(session_id, NAMESPACE)
        return found

    def _answer(self, session_id: str, namespace: str | None, code: str) -> None:
        error = packets.Packet(packets.CONNECT_ERROR, data=connect_error(code), namespace=namespace)
        self._server.eio.send(session_id, error.encode())

    def _end(self, session_id: str, why: str) -> None:
        web_socket = self._open_sockets.get(session_id)
        if web_socket is not None:
            web_socket.refuse((CloseReason.PROTOCOL_ERROR, why))


def decoded(text: str) -> packets.Packet | None:
    """The packet that `text` is, None if it is none."""
    try:
        return packets.Packet(encoded_packet=text)
    except (ValueError, RecursionError):
        return None


def is_event(data: Any) -> bool:
    """True if `data` is an event that a client may send: its name, and what goes with it."""
    return isinstance(data, list) and bool(data) and isinstance(data[0], str) and data[0] not in RESERVED
