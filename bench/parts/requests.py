"""What each kind of request takes of the web process: its processor time, whoever else is busy meanwhile.

As many requests of each kind in turn, round after round, with 64 connections; the median of the rounds counts. A
machine that drifts does so for all kinds, and the bare endpoint under the same server is among them.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator
from typing import Final

import psutil
import requests

from bench.baselines.bare_server import BareServer
from bench.figures import CannotMeasure, Figure, Target, at_most
from bench.loads.closed_requests import run_requests
from bench.loads.target import PRICE
from bench.loads.target import Target as Server
from bench.options import Options
from bench.world.seed import REFERENCE
from bench.world.world import World

PART = "requests"

CONNECTIONS: Final = 64
SPREAD: Final = 20
"""Cents around the reference price: about half of the orders meet another."""

BATCH: Final = 500
BARE: Final = "a bare endpoint"

WANTED: Final[dict[str, tuple[Target, ...]]] = {
    "POST /orders": at_most(110),
    "POST /orders/{id}/cancel": at_most(150),
    "DELETE /orders/{id}": at_most(150),
    "GET /orders/{id}": at_most(70),
    "GET /stocks/{s}/book": at_most(70),
    "GET /stocks/{s}/price": at_most(70),
    "GET /balance": at_most(70),
    "GET /stocks/{s}/ticker": (),
    "GET /stocks/{s}/candles?limit=100": (),
    "GET /ticker": (),
    "GET /sparklines?interval=5m&points=60": (),
    BARE: (),
}
"""Microseconds."""


def measure(options: Options) -> Iterator[Figure]:
    """Microseconds of the web process for one request of each kind. Raises CannotMeasure."""
    taken: dict[str, list[float]] = {kind: [] for kind in WANTED}
    with World.of(options) as world:
        world.open()
        with BareServer(world) as bare:
            clients = _Clients(world, options)
            servers = {kind: (world.settings.web.port, world.processes.latest("web").popen.pid) for kind in WANTED}
            servers[BARE] = bare.port, bare.process.popen.pid
            for number in range(options.rounds + 1):
                for kind, (port, pid) in servers.items():
                    used = _microseconds(pid, port, clients.requests(kind, options.requests), kind)
                    if number:  # the first round warms up
                        taken[kind].append(used)
                    world.drain()
        for kind, rounds in taken.items():
            remark = f"{min(rounds):.0f} to {max(rounds):.0f} in {len(rounds)} rounds of {options.requests:,} requests"
            yield Figure(PART, f"{kind}: web process", statistics.median(rounds), "µs", WANTED[kind], remark)
        yield from world.proof(PART, "after all requests")


def _microseconds(pid: int, port: int, ready: list[bytes], kind: str) -> float:
    """Processor time for each of these. Raises CannotMeasure where one was refused."""
    before = _used(pid)
    statuses = run_requests(port, ready, CONNECTIONS)
    if refused := {status: count for status, count in statuses.items() if not 200 <= status < 300}:
        raise CannotMeasure(f"{kind}: {refused} instead of 2xx")
    return (_used(pid) - before) / len(ready) * 1e6


def _used(pid: int) -> float:
    """Seconds of processor that gunicorn's workers have used, user and system."""
    times = [child.cpu_times() for child in psutil.Process(pid).children(recursive=True)]
    return sum(time.user + time.system for time in times)


class _Clients:
    """Requests of random brokers about random stocks."""

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._choose = random.Random(options.seed)

    def requests(self, kind: str, count: int) -> list[bytes]:
        """So many; those about an order are about one that rests, each about another."""
        if kind == BARE:
            return [b"POST / HTTP/1.1\r\n" + self._place("POST", "/orders").partition(b"\r\n")[2] for _ in range(count)]
        method, _, path = kind.partition(" ")
        if "{id}" in path:
            return [
                server.request(method, path.replace("{id}", str(order_id))) for server, order_id in self._resting(count)
            ]
        if method == "POST":
            return [self._place(method, path) for _ in range(count)]
        return [self._server().request(method, path.replace("{s}", self._symbol())) for _ in range(count)]

    def _place(self, method: str, path: str) -> bytes:
        order = self._server().order(
            self._symbol(),
            side=self._choose.choice(("bid", "ask")),
            quantity=10 * self._choose.randint(1, 100),
            price=REFERENCE + self._choose.randint(-SPREAD, SPREAD),
        )
        return self._server().request(method, path, order)

    def _resting(self, count: int) -> Iterator[tuple[Server, int]]:
        """New bids far from the market, with those who placed them."""
        for _ in range(0, count, BATCH):
            server = self._server()
            orders = [server.order(self._symbol(), price=PRICE) for _ in range(BATCH)]
            url, headers = f"{self._world.url}/api/v1/orders/batch", {"Authorization": f"Bearer {server.key}"}
            with requests.post(url, json={"orders": orders}, headers=headers, timeout=60) as answer:
                results = answer.json()["results"]
            yield from ((server, result["order"]["order_id"]) for result in results)
        self._world.drain()

    def _server(self) -> Server:
        return Server(self._world.settings.web.port, self._choose.choice(self._world.traders).api_key, "")

    def _symbol(self) -> str:
        return self._choose.choice(self._world.symbols)
