"""As much of WebSocket (RFC 6455), Engine.IO 4 and Socket.IO 5 as a subscriber to one stock needs."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
from typing import Final

TRADE: Final = re.compile(rb'"TRADE_EXECUTED",\{[^}]*?"sequence": ?(\d+)[,}]')
"""The sequence in a TRADE_EXECUTED, whatever frame it is in."""

PING: Final = b"\x81\x012"
"""Engine.IO's ping: a whole text frame of the one character 2. Its first byte appears in no JSON text."""

CONNECT: Final = "40"
SUBSCRIBE: Final = "420"
SUBSCRIBED: Final = b"430"
PONG: Final = "3"
RECEIVE_BYTES: Final = 1 << 18
HANDSHAKE_SECONDS: Final = 30


def frame(text: str, opcode: int = 0x81) -> bytes:
    """A client's frame of less than 64 KB, masked as the RFC demands; the mask is zero and changes nothing.

    `opcode` has FIN with it, by default that of a whole text.
    """
    payload = text.encode()
    length = len(payload)
    size = bytes((0x80 | length,)) if length < 126 else bytes((0x80 | 126,)) + length.to_bytes(2, "big")
    return bytes((opcode,)) + size + bytes(4) + payload


def handshake(port: int) -> bytes:
    """The opening handshake of a client."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


class Mute:
    """A client that follows a stock's tape and book, and never reads what comes."""

    def __init__(self, port: int, symbol: str, *, is_stream: bool) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), HANDSHAKE_SECONDS)
        channels = [f"stock:{symbol}", f"book:{symbol}"]
        if is_stream:
            path = f"/api/v1/stream?channels={','.join(channels)}"
            self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        else:
            subscribed = json.dumps({"channels": channels}, separators=(",", ":"))
            self.socket.sendall(handshake(port))
            self.socket.recv(RECEIVE_BYTES)
            self.socket.sendall(frame(CONNECT) + frame(f'{SUBSCRIBE}["subscribe",{subscribed}]'))


class Subscriber:
    """One client on one stock's tape."""

    def __init__(self, port: int, symbol: str, most: int) -> None:
        self.seen = bytearray(most + 1)
        """1 at each sequence that has arrived."""
        self.repeated = 0
        self.closed = False
        self._rest = b""
        self.socket = socket.create_connection(("127.0.0.1", port), HANDSHAKE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._enter(port, symbol)
        self.socket.setblocking(False)

    def receive(self) -> list[int]:
        """The sequences that have arrived since; answers pings. Nothing when there is nothing."""
        try:
            data = self.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return []
        return self._take(data)

    def lost(self, last: int) -> int:
        """The number of sequences from 1 to `last` that never came."""
        return last - sum(self.seen[1 : last + 1])

    def _take(self, data: bytes) -> list[int]:
        received = self._rest + data
        sequences = []
        end = 0
        for match in TRADE.finditer(received):
            sequence = int(match[1])
            sequences.append(sequence)
            if sequence < len(self.seen):
                self.repeated += self.seen[sequence]
                self.seen[sequence] = 1
            end = match.end()
        if PING in received:
            self.socket.sendall(frame(PONG))
            received, end = received.replace(PING, b"", 1), max(0, end - len(PING))
        self._rest = received[end:]
        return sequences

    def _enter(self, port: int, symbol: str) -> None:
        self.socket.sendall(handshake(port))
        self._until(b'"pingInterval"')
        self.socket.sendall(frame(CONNECT))
        self._until(b"40{")
        channels = json.dumps({"channels": [f"stock:{symbol}"]}, separators=(",", ":"))
        self.socket.sendall(frame(f'{SUBSCRIBE}["subscribe",{channels}]'))
        self._until(SUBSCRIBED)
        self._rest = b""

    def _until(self, wanted: bytes) -> None:
        """Read until this has come. Raises ConnectionError."""
        while wanted not in self._rest:
            data = self.socket.recv(RECEIVE_BYTES)
            if not data:
                raise ConnectionError(f"closed before {wanted!r} came: {self._rest!r}")
            self._rest += data
