"""What others wait for while a stranger does his worst: attack by attack, beside a quiet run."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

from bench.figures import Figure, at_most, percentile
from bench.loads.attacks import ATTACKS
from bench.loads.neighbour import Neighbour, Waited
from bench.options import Options
from bench.world.world import World
from settings.loading import ROOT

PART = "hostile"

P99 = at_most(50)
"""Milliseconds."""

HEAD_START_SECONDS: Final = 1.0
"""In which an attack gets under way."""

QUIET: Final = "nobody attacks"


def measure(options: Options) -> Iterator[Figure]:
    """The 99th percentile of orders, of requests on new connections, and of `/health`, under each attack."""
    with World(options.stocks, options.brokers, options.settings) as world:
        world.open()
        attacker, victim = world.traders[0].api_key, world.traders[1].api_key
        neighbour = Neighbour(world.settings.web.port, victim, world.symbols[0])
        neighbour.watch(1.0)
        for name in (QUIET, *ATTACKS):
            with _under_attack(world, name, attacker):
                found = neighbour.watch(options.seconds)
            yield from _figures(name, found)
        neighbour.close()
        yield from world.proof(PART, "after all attacks")


@contextlib.contextmanager
def _under_attack(world: World, name: str, key: str) -> Iterator[None]:
    if name == QUIET:
        yield
        return
    command = [sys.executable, "-m", "bench.loads.attacks", name, str(world.settings.web.port), key, world.symbols[1]]
    with subprocess.Popen(command, cwd=ROOT) as process:
        time.sleep(HEAD_START_SECONDS)
        try:
            yield
        finally:
            process.kill()
    time.sleep(HEAD_START_SECONDS)


def _figures(name: str, found: dict[str, Waited]) -> Iterator[Figure]:
    for kind, waited in found.items():
        times = waited.milliseconds
        remark = f"p50 {percentile(times, 0.5):.1f}, longest {percentile(times, 1.0):.0f} ms, of {len(times):,}"
        if waited.failed:
            remark += f"; {len(waited.failed)} failed: {dict(Counter(waited.failed))}"
        yield Figure(PART, f"{name}: {kind}, p99", percentile(times, 0.99), "ms", P99, remark)
