"""What a stranger may do to a web process, as fast as one process can do it.

    python -m bench.loads.attacks NAME PORT KEY SYMBOL

It goes on until it is ended. KEY is a broker's, for attacks that need one.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bench.world.seed import REFERENCE

TIME: Final = b"GET /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n"
FETCH_SECONDS: Final = 20.0

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
        client = socket.create_connection(("127.0.0.1", self.port), timeout=FETCH_SECONDS)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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


def pipelined(*paths: bytes) -> Send:
    """Requests that wait for no answer."""
    requests = b"".join(TIME.replace(b"/api/v1/time", path) for path in paths) * 500
    return lambda _: itertools.repeat(requests)


def batches(order: Callable[[Target, int], dict[str, object]]) -> Send:
    """Batches of 500 orders."""

    def send(target: Target) -> Iterator[bytes]:
        orders = [order(target, number) for number in range(500)]
        return itertools.repeat(target.request("POST", "/orders/batch", {"orders": orders}))

    return send


def crumbs(_: Target) -> Iterator[bytes]:
    """A head byte by byte."""
    head = TIME[:-2] + b"X-Padding: " + b"a" * 2_000 + b"\r\n\r\n"
    return (head[n : n + 1] for n in itertools.cycle(range(len(head))))


def unknown_symbols(target: Target) -> Iterator[bytes]:
    """Orders for stocks that nobody has listed, never the same."""
    return (target.request("POST", "/orders", target.order(f"X{n:07}")) for n in itertools.count())


def wrong_keys(target: Target) -> Iterator[bytes]:
    """Keys that look like keys."""
    return (target.request("GET", "/balance", key=f"mx_{secrets.token_urlsafe(32)}") for _ in itertools.count())


@dataclass(frozen=True, slots=True)
class Attack:
    """So many connections, each of which sends, and reads what is answered if it `fetches`; `anew` after each piece."""

    connections: int
    send: Send
    fetches: bool = True
    anew: bool = False


ATTACKS: Final[dict[str, Attack]] = {
    "requests without a pause": Attack(1, pipelined(b"/api/v1/time")),
    "the same on 100 connections": Attack(100, pipelined(b"/api/v1/time", b"/none")),
    "answers that nobody fetches": Attack(300, pipelined(b"/docs/assets/swagger-ui-bundle.js"), fetches=False),
    "a connection for each request": Attack(20, pipelined(b"/api/v1/time"), anew=True),
    "1,500 silent connections": Attack(1_500, lambda _: iter([])),
    "heads byte by byte": Attack(200, crumbs),
    "heads without an end": Attack(50, lambda _: itertools.repeat(b"X-Padding: " + b"a" * 8_000 + b"\r\n")),
    "nonsense": Attack(50, lambda _: itertools.repeat(b"\x00" * 65_536)),
    "keys that are guessed": Attack(50, wrong_keys),
    "batches of unknown members": Attack(
        8, batches(lambda target, _: target.order(target.symbol) | {f"member{n}": n for n in range(60)})
    ),
    "batches of orders": Attack(8, batches(lambda target, _: target.order(target.symbol))),
    "orders for unknown symbols": Attack(50, unknown_symbols),
    "long lists": Attack(50, lambda target: itertools.repeat(target.request("GET", "/orders?limit=500"))),
}


def attack(chosen: Attack, target: Target) -> None:
    """One connection's part, again and again."""
    while True:
        with contextlib.suppress(OSError), target.connect() as client:
            if chosen.fetches and not chosen.anew:
                threading.Thread(target=_fetch, args=[client], daemon=True).start()
            sent = False
            for piece in chosen.send(target):
                client.sendall(piece[: len(TIME)] if chosen.anew else piece)
                sent = True
                if chosen.anew:
                    client.recv(65_536)
                    break
            if not sent:
                client.settimeout(None)
                client.recv(1)


def _fetch(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while client.recv(1_000_000):
            continue


def main() -> None:
    """Attack until ended."""
    name, port, key, symbol = sys.argv[1:]
    chosen = ATTACKS[name]
    target = Target(int(port), key, symbol)
    threading.stack_size(128 * 1024)
    for _ in range(chosen.connections):
        threading.Thread(target=attack, args=[chosen, target], daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
