"""What a stranger may do to a REST process."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator
from typing import Final

from bench.loads.target import Attack, Send, Target

TIME: Final = b"GET /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n"


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


ATTACKS: Final[dict[str, Attack]] = {
    "requests without a pause": Attack(1, pipelined(b"/api/v1/time")),
    "the same on 100 connections": Attack(100, pipelined(b"/api/v1/time", b"/none")),
    "answers that nobody fetches": Attack(300, pipelined(b"/docs/assets/swagger-ui-bundle.js"), fetches=False),
    "a connection for each request": Attack(20, lambda _: itertools.repeat(TIME), anew=True),
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
