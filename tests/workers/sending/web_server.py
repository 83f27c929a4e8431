"""A receiver on this machine that answers as a test wants, byte by byte if need be."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Request:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[socket.socket, Request], bool]
"""Answers a request; whether the connection is kept."""


def plainly(answer: bytes = OK) -> Answer:
    """Answer with these bytes, and keep the connection."""

    def send(connection: socket.socket, request: Request) -> bool:
        connection.sendall(answer)
        return True

    return send


@dataclass
class WebServer:
    """Listens at a port of its own until it is closed."""

    answer: Answer = field(default_factory=plainly)
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.closing = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def url(self, host: str = "127.0.0.1", path: str = "/hook") -> str:
        """Where it is to be found."""
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def close(self) -> None:
        """Listen no more."""
        self.closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # whoever waits for a connection would keep it listening
        self._listener.close()

    def _listen(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.closing(connection):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with contextlib.closing(connection), connection.makefile("rb") as reader:
                for request in _requests(reader):
                    self.requests.append(request)
                    if not self.answer(connection, request):
                        return


def _requests(reader) -> Iterator[Request]:  # type: ignore[no-untyped-def]
    while line := reader.readline():
        headers = {}
        while (header := reader.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", 0)))
        yield Request(line.decode().strip(), headers, body)
