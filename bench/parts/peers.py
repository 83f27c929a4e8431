"""The load of `mixed` on two small exchanges as one might write them with FastAPI, and on Minex: what durability costs.

One matches in PostgreSQL and answers when that is committed; the other matches in memory and tells the database later.
Neither reserves anything, checks a price band, or tells brokers of their orders. Each load finds a new exchange of its
kind on the same machine, PostgreSQL with the same settings, and the same requests at the same times.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

from sqlalchemy import text

from bench.figures import CannotMeasure, Figure, ratio
from bench.loads.arrivals import Answers, answers_of
from bench.loads.schedule import BASE, READ_KINDS, Kind
from bench.options import Options
from bench.world.world import World, until
from machine.ports import is_free, random_free_port

PART: Final = "peers"

MINEX: Final = "Minex"
PEERS: Final = {
    "durable, matched in PostgreSQL": ("bench.baselines.durable_peer", os.cpu_count() or 1),
    "in memory, durable later": ("bench.baselines.memory_peer", 1),
}
"""Each one's module, and in how many processes it runs."""

SHARES: Final = (0.5, 1.0, 2.0)
WARM_SECONDS: Final = 1
MARKET: Final = "PEER_MARKET"


def measure(options: Options) -> Iterator[Figure]:
    """Every load on every exchange, and what Minex takes of either. Raises CannotMeasure without FastAPI."""
    if find_spec("fastapi") is None:
        raise CannotMeasure("FastAPI is not here: `./minex test --checks` installs it with the tools")
    for share in SHARES:
        medians: dict[str, float] = {}
        with World.of(options) as world:
            for name, (module, processes) in PEERS.items():
                with _running(world, module, processes) as port:
                    answers = _loaded(world, options, share, port)
                medians[name] = answers.percentile(0.5, Kind.ORDER)
                yield from _figures(name, share, answers)
            world.open()
            answers = _loaded(world, options, share, world.settings.web.port)
            yield from _figures(MINEX, share, answers)
            world.drain()
            yield from world.proof(PART, f"{share:.0%}")
        ours = answers.percentile(0.5, Kind.ORDER)
        for name, median in medians.items():
            yield Figure(PART, f"{share:.0%}: median of Minex to that of the peer {name}", ratio(ours, median), "×")


def _loaded(world: World, options: Options, share: float, port: int) -> Answers:
    answers_of(world, options, port=port, orders=BASE * share, seconds=WARM_SECONDS)
    return answers_of(world, options, port=port, orders=BASE * share)


def _figures(name: str, share: float, answers: Answers) -> Iterator[Figure]:
    what = f"{share:.0%} ({BASE * share:,.0f} orders/s), {name}"
    reads, cancels = answers.percentile(0.5, *READ_KINDS), answers.percentile(0.5, Kind.CANCEL)
    remark = f"p50 of reads {reads:.1f}, of cancels {cancels:.1f} ms"
    yield Figure(PART, f"{what}: order acknowledged, p50", answers.percentile(0.5, Kind.ORDER), "ms", (), remark)
    yield Figure(PART, f"{what}: order acknowledged, p99", answers.percentile(0.99, Kind.ORDER), "ms")
    remark = f"{answers.unanswered} of them unanswered in time"
    yield Figure(PART, f"{what}: requests not answered 2xx", answers.not_good(), "", (), remark)


@contextmanager
def _running(world: World, module: str, processes: int) -> Iterator[int]:
    """A peer with a new database, until the end of the block; its port."""
    database = module.rpartition(".")[2]
    with world.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{database}"'))
    market = {
        "database": world.postgres.url_of(database),
        "symbols": world.symbols,
        "keys": [trader.api_key for trader in world.traders],
    }
    asyncio.run(importlib.import_module(module).prepare(market))
    file = world.folder / f"{database}.json"
    file.write_text(json.dumps(market), encoding="utf-8")
    port = random_free_port()
    arguments = ("--factory", f"{module}:application", "--port", str(port), "--workers", str(processes))
    quiet = ("--log-level", "warning", "--no-access-log")
    server = world.processes.start_module(database, "uvicorn", *arguments, *quiet, **{MARKET: str(file)})
    try:
        until(lambda: not is_free(port), "the peer is up")
        yield port
    finally:
        server.kill()
