"""What waits for one client: written without ever waiting for that client, and bounded."""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import time

import gevent
from gevent.socket import socket as GeventSocket

log = logging.getLogger(__name__)

MOST_BYTES = 1_048_576
"""Bytes that may wait for a client before the next message cuts it off: some seconds of the whole market."""

KERNEL_BYTES = 262_144
"""Bytes that wait in the kernel. Left to itself it would hold megabytes for each client who does not read."""

STALLED_SECONDS = 30
"""How long a client may take nothing of what waits for it."""

FINISH_LOOK_SECONDS = 0.02

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: forget what was not sent and do not wait for anybody."""


class Outbox:
    """A client's socket with everything that leaves through it in one line, in the order in which it was put.

    It stands in for the socket: the WebSocket library sends its pongs and acknowledgements through it, so that they
    never land inside a frame of which the kernel has taken only half. What the kernel does not take at once is sent by
    a greenlet that exists only as long.
    """

    def __init__(self, client: GeventSocket) -> None:
        self.client = client
        self.waiting_bytes = 0
        self._waiting: list[bytes] = []
        self._draining = False
        self._cut = False
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)

    def put(self, data: bytes) -> None:
        """Let `data` wait for the next `flush`. A client who left too much unread is cut off instead.

        What already waits counts and not `data`, so that one long answer harms nobody who reads.
        """
        if self.waiting_bytes > MOST_BYTES:
            if not self._cut:
                log.warning("a client left %d bytes unread and was cut off", self.waiting_bytes)
                self.cut()
        elif not self._cut:
            self._waiting.append(data)
            self.waiting_bytes += len(data)

    def flush(self) -> None:
        """Give the kernel all that waits, in one call; never blocks."""
        if self._draining or not self._waiting:
            return
        data = self._take()
        try:
            sent = self.client.sendmsg((data,), (), socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.cut()
            return
        self.waiting_bytes -= sent
        if sent < len(data):
            self._draining = True
            gevent.spawn(self._drain, memoryview(data)[sent:])

    def send(self, data: bytes) -> int:
        """As a socket's: `data` is on its way, behind what was put before."""
        self.put(data)
        self.flush()
        return len(data)

    def finish(self, seconds: float) -> None:
        """Nothing more will be put: wait until all is on its way, and so many seconds at most; the rest is lost."""
        deadline = time.monotonic() + seconds
        while self.waiting_bytes and not self._cut and time.monotonic() < deadline:
            gevent.sleep(FINISH_LOOK_SECONDS)
        self._cut = True
        self._waiting.clear()

    def cut(self) -> None:
        """End the connection now; whoever reads from it sees its end. Nothing happens if it has ended."""
        self._cut = True
        self._waiting.clear()
        with contextlib.suppress(OSError):
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.client.shutdown(socket.SHUT_RDWR)

    def _take(self) -> bytes:
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        self._waiting.clear()
        return data

    def _drain(self, rest: memoryview) -> None:
        """Send as fast as the client reads, until nothing waits."""
        try:
            while rest:
                with gevent.Timeout(STALLED_SECONDS, TimeoutError("the client takes nothing")):
                    sent = self.client.send(rest)
                self.waiting_bytes -= sent
                rest = rest[sent:]
                if not rest and self._waiting:
                    rest = memoryview(self._take())
        except OSError:
            self.cut()
        finally:
            self._draining = False
