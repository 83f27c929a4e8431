"""A connection to a client who may be slow: reading ends at one moment, and writing never waits."""

import contextlib
import errno
import socket
import time
from typing import Any

from gunicorn.workers.gthread import TConn

from api.arrival import Arrival


class PunctualSocket:
    """A socket for a thread that has no time; all that is not here is the socket's own."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline = 0.0
        """Of the monotonic clock, in seconds."""
        self.unsent = bytearray()
        """What the client has not fetched yet."""

    def recv(self, size: int) -> bytes:
        """At most `size` bytes. Raises TimeoutError when the deadline is reached.

        It looks like a reset connection, because gunicorn closes those without a traceback in the log.
        """
        try:
            self._connection.settimeout(max(self.deadline - time.monotonic(), 0.001))
            return self._connection.recv(size)
        except TimeoutError as error:
            raise TimeoutError(errno.ECONNRESET, "the request did not arrive in time") from error
        finally:
            with contextlib.suppress(OSError):
                self._connection.settimeout(None)

    def sendall(self, data: bytes) -> None:
        """Keep it for `flush`, so that head and body of an answer go out together."""
        self.unsent += data

    def send(self, data: bytes) -> int:
        """Send as much as the network takes at once, and keep the rest; everything counts as sent."""
        self.unsent += data
        self.flush()
        return len(data)

    def flush(self) -> bool:
        """Send more of what is left, without waiting; whether that was all. Raises OSError."""
        while self.unsent:
            sent = self._send(self.unsent)
            if not sent:
                return False
            del self.unsent[:sent]
        return True

    def _send(self, data: bytes | bytearray) -> int:
        try:
            return self._connection.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Connection(TConn):
    """A connection and what has come of its next request."""

    sock: PunctualSocket

    def __init__(self, cfg: Any, connection: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, PunctualSocket(connection), client, server)
        self.arrival: Arrival | None = None
        self.outcome: Any = None
        """The finished request whose answer is still being fetched."""

    def receive(self, size: int) -> bytes:
        """What has come, at most `size` bytes, without waiting. Raises OSError, BlockingIOError for nothing."""
        return self.sock._connection.recv(size, socket.MSG_DONTWAIT)

    def hand_over(self, deadline: float) -> None:
        """Give the parser what has arrived; what it needs beyond that must come until `deadline`."""
        self.init()
        self.data_ready = True
        self.sock.deadline = deadline
        if self.arrival is not None:
            self.parser.unreader.unread(bytes(self.arrival.data))
            self.arrival = None
