"""A lean HTTP/1.1 client: ready-made request bytes over kept connections, and as little parsing as can be.

It costs some 40 µs for each request, so that on a machine shared with the exchange the exchange is what is measured.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"\r\ncontent-length:"
CLOSES: Final = b"\r\nconnection: close"


@dataclass(slots=True)
class Answer:
    """A whole answer; `status` 0 when the connection broke before it came. `head` is in lower case."""

    status: int
    head: bytes = b""
    body: bytes = b""


Done = Callable[[Answer], None]


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.transport: asyncio.Transport
        """Set before the pool gets to know the connection."""
        self.done: Done | None = None
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready for requests."""
        self.transport = cast(asyncio.Transport, transport)  # what a stream has, though the protocol promises less
        self.pool.release(self)

    def send(self, request: bytes, done: Done) -> None:
        """Send one request; `done` gets its answer."""
        self.done = done
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """More of the answer."""
        self.received = self.received + data if self.received else data
        answer = parsed_answer(self.received)
        if answer is None:
            return
        self.received = b""
        done, self.done = self.done, None
        if CLOSES in answer.head:
            self.transport.close()
        else:
            self.pool.release(self)
        if done is not None:
            done(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has closed; a request under way has no answer."""
        done, self.done = self.done, None
        self.pool.lost(self)
        if done is not None:
            done(Answer(0))


class Pool:
    """Connections to one server. What finds none free waits its turn, first come first served."""

    def __init__(self, host: str, port: int, connections: int) -> None:
        self.host, self.port, self.connections = host, port, connections
        self.free: list[Connection] = []
        self.waiting: deque[tuple[bytes, Done]] = deque()
        self.under_way = 0
        self.closed = False
        self._opening: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect. Raises OSError."""
        await asyncio.gather(*(self._connect() for _ in range(self.connections)))

    def request(self, request: bytes, done: Done) -> None:
        """Send this, now or as soon as a connection is free."""
        self.under_way += 1
        if self.free:
            self.free.pop().send(request, self._counted(done))
        else:
            self.waiting.append((request, self._counted(done)))

    def release(self, connection: Connection) -> None:
        """A connection is free."""
        if self.waiting:
            connection.send(*self.waiting.popleft())
        else:
            self.free.append(connection)

    def close(self) -> None:
        """Nothing more will be asked: close the connections that are free."""
        self.closed = True
        for connection in self.free:
            connection.transport.close()

    def lost(self, connection: Connection) -> None:
        """A connection is gone; another takes its place, unless the pool is closed."""
        if connection in self.free:
            self.free.remove(connection)
        if self.closed:
            return
        task = asyncio.ensure_future(self._connect())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: Connection(self), self.host, self.port)

    def _counted(self, done: Done) -> Done:
        def answered(answer: Answer) -> None:
            self.under_way -= 1
            done(answer)

        return answered


def parsed_answer(received: bytes) -> Answer | None:
    """The answer in `received`, None while it is not whole. Raises ValueError for a body without a length."""
    end = received.find(HEAD_END)
    if end < 0:
        return None
    head = received[: end + 2].lower()
    status = int(head[9:12])
    begin = end + len(HEAD_END)
    place = head.find(LENGTH)
    if place < 0:
        if status != 204:
            raise ValueError(f"an answer without a length: {head!r}")
        return Answer(status, head)
    place += len(LENGTH)
    length = int(head[place : head.index(b"\r\n", place)])
    if len(received) < begin + length:
        return None
    return Answer(status, head, received[begin : begin + length])
