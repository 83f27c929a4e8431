"""A connection to a client who may be slow, or hostile, in a greenlet of its own."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from typing import Any

from serving.flows import Flow
from serving.open_connections import OpenConnections, network_of
from serving.patience import Patience, ReadRefusals
from serving.request_reader import PIECE, RequestReader
from serving.turns import Turns

FETCH_SECONDS = 30
"""How long a client may take to fetch an answer."""

LINGER_SECONDS = 2.0
LINGER_PAUSE_SECONDS = 0.01
"""How long a closed connection is read on, and how often: whoever sends on and on need not be kept up with."""


class TimedSocket(RequestReader):
    """A client's socket: requests are read from it, and what is answered is gathered and sent.

    What is not here is the socket's own.
    """

    def __init__(
        self,
        connection: socket.socket,
        address: str,
        turns: Turns,
        others: OpenConnections,
        refusals: ReadRefusals,
        patience: Patience,
    ) -> None:
        payer = network_of(address)
        super().__init__(connection, payer, Flow(turns, payer), others, refusals, patience)

    def refuse(self, answer: bytes) -> None:
        """Say why there is no place, and close it without waiting for anything."""
        with contextlib.suppress(OSError):
            self._connection.send(answer)
        self._connection.close()

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
        self.flow.turns.charge(self.flow, len(data))
        try:
            self._connection.settimeout(FETCH_SECONDS)
            sent = self._connection.send(data)
            if sent < len(data):
                self._others.idle(self)
                self._connection.sendall(memoryview(data)[sent:])
                self._others.busy(self)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the answer was not fetched") from error

    def hand_over(self) -> tuple[socket.socket, bytes]:
        """No HTTP is spoken here from now on: the socket itself, and what has come beyond the request.

        Whoever takes over calls `spoke` for all that its client says.
        """
        self.begun = True
        self._deadline = None
        self._others.idle(self)
        self._connection.settimeout(None)
        return self._connection, self._taken(len(self._arrived))

    def stays(self) -> None:
        """Whoever has taken it over says when it ends: it does not go for others, however long its client is silent."""
        self._others.busy(self)

    def spoke(self) -> None:
        """The client has just said something: wait for its turn. Of all who idle it is now the last that would go."""
        self._others.busy(self)
        self._others.idle(self)
        self.flow.turns.enter(self.flow)

    def drop(self) -> None:
        """End it without a word: its client has said nothing."""
        self._connection.close()

    def close(self) -> None:
        """Send what is left, say that nothing more will come, and read on until the client has closed, too."""
        with contextlib.suppress(OSError):
            self.flush()
            self._others.idle(self)
            self._connection.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + LINGER_SECONDS
            while not self._ended and (left := deadline - time.monotonic()) > 0:
                self._connection.settimeout(left)
                if not self._connection.recv(PIECE):
                    break
                time.sleep(LINGER_PAUSE_SECONDS)
        self._connection.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
