"""What a stranger may do to a Socket.IO process."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from typing import Final

from bench.loads.target import Attack, Send, Target
from bench.loads.web_socket import CONNECT, SUBSCRIBE, frame, handshake

PING_FRAME: Final = 0x89
BEGINNING, MIDDLE = 0x01, 0x00
"""Of a text in fragments."""

HANDSHAKE_SECONDS: Final = 0.5
"""Enough for its answer."""


def handshakes(target: Target) -> Iterator[bytes]:
    """A WebSocket that is opened."""
    return itertools.repeat(handshake(target.port))


def frames(*pieces: bytes) -> Send:
    """A WebSocket that is connected, and then these frames again and again."""

    def send(target: Target) -> Iterator[bytes]:
        yield handshake(target.port)
        time.sleep(HANDSHAKE_SECONDS)
        yield frame(CONNECT)
        yield from itertools.repeat(b"".join(pieces).replace(b"SYMBOL", target.symbol.encode()))

    return send


def _subscribe(channels: int, times: int) -> bytes:
    names = json.dumps(["book:SYMBOL"] * (channels // 2) + ["stock:SYMBOL"] * (channels // 2))
    return frame(f'{SUBSCRIBE}["subscribe",{{"channels":{names}}}]') * times


SOCKET_ATTACKS: Final[dict[str, Attack]] = {
    "900,000 tiny frames on one socket": Attack(1, frames(frame("", PING_FRAME) * 10_000)),
    "tiny frames on 100 sockets": Attack(100, frames(frame("", PING_FRAME) * 1_000)),
    "fragments without an end": Attack(50, frames(frame("4", BEGINNING) + frame("4" * 60_000, MIDDLE) * 20)),
    "subscriptions without a pause": Attack(50, frames(_subscribe(2, 100))),
    "a thousand channels each time": Attack(50, frames(_subscribe(1_000, 10))),
    "sockets that come and go": Attack(20, handshakes, anew=True),
    "events that nobody fetches": Attack(100, frames(_subscribe(2, 100)), fetches=False),
}
