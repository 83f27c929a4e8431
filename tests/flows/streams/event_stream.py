"""A client of the event stream for tests: what it has heard, and with which ids."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any
from urllib.parse import urlencode

from tests.flows.exchange import until


class EventStream:
    """One connection, read line by line by a thread of its own until it ends."""

    def __init__(self, port: int, channels: str, *, key: str = "", last: str = "", after: str = "") -> None:
        self.heard: list[tuple[str, Any, str]] = []
        """(event, payload, id), in order."""
        self.comments = 0
        self.ended = False
        query = {"channels": channels, **({"after": after} if after else {})}
        lines = [f"GET /api/v1/stream?{urlencode(query)} HTTP/1.1", "Host: localhost"]
        lines += [f"Authorization: Bearer {key}"] if key else []
        lines += [f"Last-Event-ID: {last}"] if last else []
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._file = self.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while line := self._file.readline().decode().strip():
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        event: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            for line in self._file:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == ":":
                    self.comments += 1
                elif name:
                    event[name] = value
                elif event:
                    self.heard.append((event["event"], json.loads(event["data"]), event["id"]))
                    event = {}
        self._file.close()
        self.ended = True

    @property
    def last(self) -> str:
        """The id of the last event."""
        return self.heard[-1][2]

    def of(self, *events: str) -> list[Any]:
        """The payloads of these events."""
        return [payload for event, payload, _ in self.heard if event in events]

    def wait_for(self, event: str, count: int = 1) -> list[Any]:
        """The payloads of this event, once there are so many."""
        until(lambda: len(self.of(event)) >= count, f"{count} × {event}")
        return self.of(event)

    def close(self) -> None:
        """Go away without a word."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
