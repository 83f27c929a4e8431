"""Where an attack goes, and what one is."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bench.world.seed import REFERENCE

FETCH_SECONDS: Final = 20.0

ATTACKER: Final = "127.0.0.2"
"""The attacker's address: not the neighbour's, whom nobody would know from him."""

IP_BIND_ADDRESS_NO_PORT: Final = 24
"""Linux (in.h): the port is chosen when it is known to whom the connection goes, among many more."""

PRICE: Final = REFERENCE * 95 // 100
"""Cents: far enough from the market to rest."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, and as whom."""

    port: int
    key: str
    symbol: str

    def connect(self) -> socket.socket:
        """A new connection."""
        client = socket.socket()
        try:
            client.settimeout(FETCH_SECONDS)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            client.bind((ATTACKER, 0))
            client.connect(("127.0.0.1", self.port))
        except OSError:
            client.close()
            raise
        return client

    def request(self, method: str, path: str, body: object = None, key: str = "") -> bytes:
        """A request with the key, or with another."""
        data = b"" if body is None else json.dumps(body).encode()
        content = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n" if data else ""
        head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key or self.key}\r\n{content}\r\n"
        return head.encode() + data

    def order(self, symbol: str, **more: object) -> dict[str, object]:
        """An order that rests far from the market."""
        return {"document_number": "1", "side": "bid", "symbol": symbol, "quantity": 1, "price": PRICE, **more}


Send = Callable[[Target], Iterator[bytes]]
"""What one connection sends, piece by piece, without end."""


@dataclass(frozen=True, slots=True)
class Attack:
    """So many connections, each of which sends, and reads what is answered if it `fetches`; `anew` after each piece."""

    connections: int
    send: Send
    fetches: bool = True
    anew: bool = False
