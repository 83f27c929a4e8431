"""A message to many: written once for each way in which it can go, however many it is for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import orjson

from live.sockets.frames import text_frame


class Message:
    """One event with its payload; `number` is where its feed stands with it, None where the feed does not move."""

    def __init__(self, event: str, payload: dict[str, Any], number: int | None = None) -> None:
        self.event = event
        self.payload = payload
        self.number = number

    @cached_property
    def data(self) -> bytes:
        """The payload in JSON."""
        return orjson.dumps(self.payload)

    @cached_property
    def packet(self) -> str:
        """As a Socket.IO packet (an EVENT of the namespace `/`)."""
        return f'2["{self.event}",{self.data.decode()}]'

    @cached_property
    def frame(self) -> bytes:
        """As a WebSocket's frame, with the packet as a message of Engine.IO."""
        return text_frame(f"4{self.packet}")

    @cached_property
    def block(self) -> bytes:
        """As a block of an event stream, without its id and its end."""
        return b"event: %b\ndata: %b\n" % (self.event.encode(), self.data)


class Batch:
    """Messages that go together, in their order."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages

    @cached_property
    def frames(self) -> bytes:
        """All of them as WebSocket frames."""
        if len(self.messages) == 1:
            return self.messages[0].frame
        return b"".join([message.frame for message in self.messages])
