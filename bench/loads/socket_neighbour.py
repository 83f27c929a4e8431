"""Somebody who listens to the market, while another attacks the process that he listens by: how long he waits."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from bench.loads.neighbour import PATIENCE_SECONDS, Ask, Neighbour
from bench.loads.web_socket import CONNECT, PING, PONG, SUBSCRIBE, SUBSCRIBED, frame, handshake

RECEIVE_BYTES: Final = 65_536
CONNECTED: Final = b"40{"
SAID_HELLO: Final = b'"pingInterval"'


class SocketNeighbour(Neighbour):
    """Subscribes on a kept socket, connects new ones, and asks for the health."""

    def __init__(self, port: int, symbol: str) -> None:
        self._subscription = f'{SUBSCRIBE}["subscribe",{{"channels":["stock:{symbol}","book:{symbol}"]}}]'
        self._socket = self._enter(port)
        super().__init__(port, "", symbol)

    def kinds(self) -> dict[str, Ask]:
        """What he asks for, by name."""
        return {"subscriptions": self._subscribe, "new sockets": self._connect_anew, "health": self._health}

    def close(self) -> None:
        """Leave."""
        super().close()
        self._socket.close()

    def _enter(self, port: int) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(handshake(port))
        _until(client, SAID_HELLO)
        client.sendall(frame(CONNECT))
        _until(client, CONNECTED)
        return client

    def _subscribe(self) -> int:
        try:
            self._socket.sendall(frame(self._subscription))
            _until(self._socket, SUBSCRIBED)
        except OSError:
            self._socket.close()
            self._socket = self._enter(self.port)
            raise
        return 200

    def _connect_anew(self) -> int:
        with contextlib.closing(self._enter(self.port)):
            return 200


def _until(client: socket.socket, wanted: bytes) -> None:
    """Read until this has come, and answer pings meanwhile. Raises OSError."""
    received = b""
    while wanted not in received:
        data = client.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionError(f"closed before {wanted!r} came")
        if PING in data:
            client.sendall(frame(PONG))
        received += data
