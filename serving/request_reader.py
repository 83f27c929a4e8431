"""The requests that come on a connection, piece by piece, from a client who may be slow or hostile."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

from serving.flows import Flow
from serving.open_connections import OpenConnections
from serving.patience import CRUMB_BYTES, CRUMB_SECONDS, LONGEST_CRUMB_SECONDS, Patience, ReadRefusals

PIECE = 65_536
"""Bytes received at once."""

HEAD_BYTES = 32_768
"""Of a request's head, at most."""

HEAD_END = re.compile(rb"\r?\n\r?\n")
"""Also where only LF ends the lines, so that this is refused, not waited for."""


class RequestReader:
    """Reads a socket with clocks: one for a client who has nothing to ask, one for a request on its way.

    It gives the head of one request, once that is whole and its turn has come, then its body, and nothing of what
    follows.
    """

    def __init__(
        self,
        connection: socket.socket,
        address: str,
        flow: Flow,
        others: OpenConnections,
        refusals: ReadRefusals,
        patience: Patience,
    ) -> None:
        self._connection = connection
        self.address = address
        self.flow = flow
        self._others = others
        self._refusals = refusals
        self._patience = patience
        self._idle_seconds = patience.arrival
        """For the first request no longer than for any to arrive."""
        self._deadline: float | None = None
        """Of the monotonic clock: when the request must be here; None while there is none."""
        self._ended = False
        self._arrived = bytearray()
        """Received, and not yet given to the reader."""
        self._head_given = False
        self._unread = b""
        """A head that was given, and is to be read once more."""
        self._body_left = 0
        """Bytes of the request's body that the reader has not had."""
        self._crumbs = 0
        self.request: Any = None
        """gunicorn's, while it is being answered."""
        self.begun = False
        """Whether something of the present request's answer is here."""
        self.unsent = bytearray()
        """What has been answered and not yet been sent."""

    def begins(self) -> bool:
        """Wait until the client says something; False if he does not in time, or has to go before."""
        with contextlib.suppress(OSError):
            self._arrived += self._first(PIECE)
        return bool(self._arrived)

    def recv(self, size: int) -> bytes:
        """The head of a request, or at most `size` bytes of its body; none when the client has nothing more to ask.

        Raises TimeoutError for a late request. It looks like a reset connection, because gunicorn closes those without
        a traceback in the log; so does a head that is too large.
        """
        if self.request is not None:
            return self._body(size)
        if self._unread:
            head, self._unread = self._unread, b""
            return head
        return self._more(size) if self._head_given else self.head()

    def unread(self, head: bytes) -> None:
        """Let `recv` give this head once more."""
        self._unread = head

    def head(self) -> bytes:
        """The head of the next request, in the client's turn; or all there is of it, where he sends no more."""
        searched = 0
        while (end := HEAD_END.search(self._arrived, searched)) is None and len(self._arrived) <= HEAD_BYTES:
            searched = max(0, len(self._arrived) - 3)
            piece = self._more(PIECE)
            if not piece:
                break
            self._arrived += piece
        size = len(self._arrived) if end is None else end.end()
        if size > HEAD_BYTES:
            self.unsent += self._refusals.head_too_large()
            raise ConnectionResetError(errno.ECONNRESET, "the head is too large")
        self._head_given = True
        head = self._taken(size)
        if head:
            self._others.busy(self)
            self.flow.turns.enter(self.flow)
        return head

    def whole_body(self) -> bytes | None:
        """The body of the present request, if all of it is here."""
        length = self._body_left
        if len(self._arrived) < length:
            return None
        self._body_left = 0
        return self._taken(length)

    def _body(self, size: int) -> bytes:
        wanted = min(size, self._body_left)
        piece = self._taken(wanted) if self._arrived or not wanted else self._more(wanted)
        self._body_left -= len(piece)
        return piece

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._arrived[:size])
        del self._arrived[:size]
        return taken

    def _more(self, size: int) -> bytes:
        """What comes next, at most `size` bytes; none at the end."""
        if self._deadline is None:
            return self._first(size)
        try:
            if self._crumbs:
                time.sleep(min(self._crumbs * CRUMB_SECONDS, LONGEST_CRUMB_SECONDS))
            self._connection.settimeout(max(self._deadline - time.monotonic(), 0.001))
            piece = self._connection.recv(size)
        except TimeoutError as error:
            if self.request is None:
                self.unsent += self._refusals.too_slow()
            raise TimeoutError(errno.ECONNRESET, "the request did not arrive in time") from error
        self._crumbs += len(piece) < min(size, CRUMB_BYTES)
        return piece

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
        self._deadline = time.monotonic() + self._patience.arrival
        return data

    def answer(self, request: Any, body_length: int) -> None:
        """The head of a request is here: what comes late from now on is for the application to refuse."""
        self.request = request
        self._body_left = body_length
        self.begun = False

    def expect(self) -> None:
        """The request is answered, the next one may come, or has begun to."""
        self.request = None
        self._head_given = False
        self._crumbs = 0
        self._deadline = time.monotonic() + self._patience.arrival if self._arrived else None
        self._idle_seconds = self._patience.keep_alive
        self._others.idle(self)

    def close_if_idle(self) -> None:
        """End a connection whose client has nothing to ask."""
        if self._deadline is None:
            self._ended = True
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RD)

    def evict(self) -> None:
        """End it at once: it is idle, or its client does not fetch his answer, and another needs its place."""
        self._ended = True
        self.unsent.clear()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

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
