"""A client of Socket.IO that may say anything: one WebSocket, frame by frame."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Iterator
from typing import Any

import websocket

from tests.flows.exchange import PATIENCE

PING, PONG = "2", "3"
PATH = "/socket.io/?EIO=4&transport=websocket"


def auth(key: str) -> str:
    """The payload of CONNECT with this key."""
    return json.dumps({"token": key})


class RawSocket:
    """A WebSocket on which Engine.IO has said hello."""

    def __init__(self, port: int, query: str = "", headers: dict[str, str] | None = None) -> None:
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}{PATH}{query}", timeout=PATIENCE, header=headers or {}
        )
        assert self.socket.recv().startswith('0{"sid"')

    def send(self, *frames: str | bytes) -> None:
        """Send text or binary messages."""
        for frame in frames:
            if isinstance(frame, bytes):
                self.socket.send_binary(frame)
            else:
                self.socket.send(frame)

    def answer(self) -> str:
        """The next message. Pings are answered, for a busy machine may take longer than their interval."""
        while (received := self.socket.recv()) == PING:
            self.send(PONG)
        return str(received)

    def connect(self, payload: str = "") -> Any:
        """Send CONNECT with this as its payload; the payload of the answer."""
        self.send(f"40{payload}")
        answer = self.answer()
        assert answer[:2] in ("40", "44"), answer
        return json.loads(answer[2:])

    def emit(self, event: str, *arguments: Any) -> Any:
        """Send an event; the acknowledgement."""
        self.send("420" + json.dumps([event, *arguments]))
        answer = self.answer()
        assert answer.startswith("430"), answer
        return json.loads(answer[3:])[0]

    def farewell(self) -> tuple[int, str]:
        """The code and the reason of the frame with which the server closes; what comes before is read and left."""
        while True:
            frame = self.socket.recv_frame()
            if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
                return struct.unpack("!H", frame.data[:2])[0], frame.data[2:].decode()


@contextlib.contextmanager
def raw_socket(port: int, query: str = "", headers: dict[str, str] | None = None) -> Iterator[RawSocket]:
    """A RawSocket that is closed at the end."""
    raw = RawSocket(port, query, headers)
    try:
        yield raw
    finally:
        raw.socket.close(timeout=1)
