"""Socket.IO clients on one busy stock: what each lost, and how long a trade took from its commit to a client.

The commit is PostgreSQL's own time of the transaction that stored the trade (`pg_xact_commit_timestamp`), the arrival
the client's clock on the same machine.
"""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from bench.figures import Figure, at_most, percentile
from bench.loads.arrivals import run_arrivals
from bench.options import Options
from bench.world.world import WHOLE, World, until
from settings.sections import Settings

PART = "sockets"

TRADES: Final = 100
"""A second."""

MUTE: Final = 50
"""Clients that never read a byte: half of them over Socket.IO, half with the event stream."""

CONNECT_SECONDS: Final = 180
REPORT_SECONDS: Final = 60
MOST_FILES: Final = 65_536
DELIVERED = at_most(250)
"""Milliseconds."""

COMMITTED = """
    SELECT sequence, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM trades WHERE stock_id = :stock_id
"""


def measure(options: Options) -> Iterator[Figure]:
    """Lost and repeated sequences over all clients, and the time from commit to client."""
    _allow_many_files()
    with World(1, options.brokers, _settings(options)) as world:
        world.open(*WHOLE, "live")
        into, out_of = world.folder / "wanted-sockets.json", world.folder / "found-sockets.json"
        ready, ended = world.folder / "ready", world.folder / "ended"
        wanted = {
            "port": world.settings.live.port,
            "symbol": world.symbols[0],
            "clients": options.clients,
            "mute": MUTE,
            "most": TRADES * options.seconds,
            "ready": str(ready),
            "ended": str(ended),
        }
        into.write_text(json.dumps(wanted), encoding="utf-8")
        clients = world.processes.start_module("sockets", "bench.loads.socket_clients", str(into), str(out_of))
        until(lambda: ready.exists() or clients.popen.poll() is not None, "all clients are there", CONNECT_SECONDS)
        ran = run_arrivals(world, options, trades=TRADES)
        last = int(world.scalar("SELECT coalesce(max(sequence), 0) FROM events"))
        ended.write_text(str(last), encoding="ascii")
        if clients.popen.wait(REPORT_SECONDS) != 0:
            raise RuntimeError(f"the clients failed:\n{clients.log.read_text(encoding='utf-8')[-2000:]}")
        found = json.loads(out_of.read_text(encoding="utf-8"))
        name = f"{options.clients:,} clients and {MUTE} that never read, {TRADES} trades/s"
        yield from _figures(name, found, last, _delays(world, found))
        yield Figure(PART, f"{name}: order to settled, p99", ran.settled.p99, "ms")
        yield from world.proof(PART, name)


def _settings(options: Options) -> Settings:
    """All clients come from one address."""
    live = options.settings.live
    return replace(options.settings, live=replace(live, streams_of_address=live.streams))


def _figures(name: str, found: dict[str, Any], last: int, delays: list[float]) -> Iterator[Figure]:
    remark = f"of {last:,} for each; {found['repeated']} came twice, {found['closed']} clients were cut off"
    yield Figure(PART, f"{name}: sequences lost", found["lost"], "", at_most(0), remark)
    remark = f"{len(delays):,} arrivals at one client in twenty, longest {percentile(delays, 1.0):.0f} ms"
    yield Figure(PART, f"{name}: commit to client, p50", percentile(delays, 0.5), "ms", (), remark)
    yield Figure(PART, f"{name}: commit to client, p99", percentile(delays, 0.99), "ms", DELIVERED)


def _delays(world: World, found: dict[str, Any]) -> list[float]:
    """Milliseconds from the commit of each trade to each watching client."""
    committed = {row[0]: float(row[1]) for row in world.rows(COMMITTED, stock_id=world.stock_ids[0])}
    return [(at - committed[sequence]) * 1000 for sequence, at in found["arrived"]]


def _allow_many_files() -> None:
    """As many open sockets as the system gives: the usual 1,024 are too few, and children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
