"""Server-sent events: one connection, event by event."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import requests

from .errors import Refused, Unreachable

CONNECT_SECONDS: Final = 5.0
SILENT_SECONDS: Final = 40.0
"""The exchange says something every fifteen seconds; after so long nobody is there any more."""

LONGEST_LINE: Final = 16 * 1_048_576
"""Bytes."""


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event: its name, its payload, and the position behind which one can go on."""

    name: str
    payload: dict[str, Any]
    id: str


class EventStream:
    """One connection; iterating gives its events until it ends. `close` may be called by another thread."""

    def __init__(self, live_url: str, key: str | None, channels: Sequence[str], last_id: str = "") -> None:
        """Raises Refused, Unreachable."""
        headers = {"Accept": "text/event-stream"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if last_id:
            headers["Last-Event-ID"] = last_id
        url = f"{live_url.rstrip('/')}/api/v1/stream"
        try:
            self._answer = requests.get(
                url,
                params={"channels": ",".join(channels)},
                headers=headers,
                stream=True,
                timeout=(CONNECT_SECONDS, SILENT_SECONDS),
            )
        except requests.RequestException as error:
            raise Unreachable(f"no stream at {live_url}: {error}") from error
        if self._answer.status_code != requests.codes.ok:
            with self._answer:
                raise _refusal(self._answer)
        self._socket = socket.socket(fileno=os.dup(self._answer.raw.fileno()))
        """Of our own: the answer keeps its to itself, and closing that waits for whoever reads."""
        self._last_id = last_id

    def __iter__(self) -> Iterator[StreamEvent]:
        """The events as they come. What was cut off in the middle counts for nothing."""
        found: dict[str, str] = {}
        for line in self._lines():
            name, _, text = line.partition(": ")
            if name:
                found[name] = text
            elif "data" in found:
                self._last_id = found.get("id", self._last_id)
                yield StreamEvent(found.get("event", "message"), json.loads(found["data"]), self._last_id)
                found = {}

    def close(self) -> None:
        """End the connection, also while somebody waits for the next event."""
        with suppress(OSError):  # it has ended by itself, or was closed before
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._answer.close()

    def _lines(self) -> Iterator[str]:
        rest = b""
        while True:
            try:
                piece = self._answer.raw.read1(65_536)
            except Exception as error:
                raise Unreachable(f"the stream broke: {error}") from error
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise Unreachable("the stream has a line without an end")
            for line in lines:
                yield line.decode("utf-8", "replace").rstrip("\r")


def _refusal(answer: requests.Response) -> Refused:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    problem.setdefault("detail", answer.reason)
    problem["retry_after"] = answer.headers.get("Retry-After")
    return Refused(answer.status_code, problem)
