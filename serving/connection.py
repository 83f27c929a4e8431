"""A connection to a client who may be slow, in a greenlet of its own."""

import contextlib
import errno
import socket
import time
from collections.abc import Iterator
from typing import Any

FETCH_SECONDS = 30
"""How long a client may take to fetch an answer."""

LINGER_SECONDS = 2.0
"""How long a closed connection is read on."""

PIECE = 65_536
"""Bytes read at once."""


class TimedSocket:
    """A socket with clocks: one for a client who has nothing to ask, one for a request on its way.

    What is not here is the socket's own.
    """

    def __init__(self, connection: socket.socket, arrival_seconds: float, idle_seconds: float) -> None:
        self._connection = connection
        self._arrival_seconds = arrival_seconds
        self._idle_seconds = arrival_seconds
        """For the first request no longer than for any to arrive."""
        self._keep_alive_seconds = idle_seconds
        self._deadline: float | None = None
        """Of the monotonic clock: when the request must be here; None while there is none."""
        self._ended = False
        self.request: Any = None
        """gunicorn's, while it is being answered."""
        self.begun = False
        """Whether something of the present request's answer is here."""
        self.unsent = bytearray()
        """What has been answered and not yet been sent."""

    def recv(self, size: int) -> bytes:
        """At most `size` bytes; none when the client has nothing more to ask. Raises TimeoutError for a late request.

        It looks like a reset connection, because gunicorn closes those without a traceback in the log.
        """
        if self._deadline is None:
            return self._first(size)
        try:
            self._connection.settimeout(max(self._deadline - time.monotonic(), 0.001))
            return self._connection.recv(size)
        except TimeoutError as error:
            if self.request is None:
                from api.server.raw_answers import too_slow  # noqa: PLC0415 - it brings Flask along

                self.unsent += too_slow()
            raise TimeoutError(errno.ECONNRESET, "the request did not arrive in time") from error

    def _first(self, size: int) -> bytes:
        try:
            self._connection.settimeout(self._idle_seconds)
            data = self._connection.recv(size)
        except TimeoutError:
            return b""
        except OSError:
            if not self._ended:  # gevent tells whoever reads of the end as of a closed socket
                raise
            return b""
        self._deadline = time.monotonic() + self._arrival_seconds
        return data

    def answer(self, request: Any) -> None:
        """The head of a request is here: what comes late from now on is for the application to refuse."""
        self.request = request
        self.begun = False

    def expect(self, *, begun: bool) -> None:
        """The request is answered, the next one may come, or has `begun` to."""
        self.request = None
        self._deadline = time.monotonic() + self._arrival_seconds if begun else None
        self._idle_seconds = self._keep_alive_seconds

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """In the block, only what arrives in so many seconds is received, and nothing after the request's deadline."""
        deadline = self._deadline
        soon = time.monotonic() + seconds
        self._deadline = soon if deadline is None else min(deadline, soon)
        try:
            yield
        finally:
            self._deadline = deadline

    def close_if_idle(self) -> None:
        """End a connection whose client has nothing to ask."""
        if self._deadline is None:
            self._ended = True
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RD)

    def sendall(self, data: bytes) -> None:
        """Keep it for `flush`, so that head and body of an answer go out together."""
        self.begun = True
        self.unsent += data

    def send(self, data: bytes) -> int:
        """Send what has gathered, and this."""
        self.unsent += data
        self.flush()
        return len(data)

    def flush(self) -> None:
        """Send what has gathered. Raises ConnectionResetError when the client does not fetch it."""
        if not self.unsent:
            return
        data, self.unsent = self.unsent, bytearray()
        try:
            self._connection.settimeout(FETCH_SECONDS)
            self._connection.sendall(data)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the answer was not fetched") from error

    def close(self) -> None:
        """Send what is left, say that nothing more will come, and read on until the client has closed, too."""
        with contextlib.suppress(OSError):
            self.flush()
            self._connection.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + LINGER_SECONDS
            while (left := deadline - time.monotonic()) > 0:
                self._connection.settimeout(left)
                if not self._connection.recv(PIECE):
                    break
        self._connection.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
