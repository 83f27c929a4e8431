"""What others wait for while a stranger does his worst: attack by attack, beside a quiet run."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from bench.figures import Figure, at_most, percentile
from bench.loads.attacks import ATTACKS
from bench.loads.neighbour import Neighbour, Waited
from bench.loads.socket_attacks import SOCKET_ATTACKS
from bench.loads.socket_neighbour import SocketNeighbour
from bench.options import Options
from bench.world.world import WHOLE, World
from settings.loading import ROOT

PART = "hostile"

P99 = at_most(50)
"""Milliseconds."""

HEAD_START_SECONDS: Final = 1.0
"""In which an attack gets under way."""

RECOVERY_SECONDS: Final = 5.0
"""From one attack to the next. Memory that the system gets back may go on to the host of a virtual machine, whose disk
stands still meanwhile: commits took 240 ms two seconds after 300 connections with 1.4 MB each were closed."""

QUIET: Final = "nobody attacks"


def measure(options: Options) -> Iterator[Figure]:
    """The 99th percentile of what a neighbour of each kind waits for, under each attack on the process that he uses."""
    with World(options.stocks, options.brokers, options.settings) as world:
        world.open(*WHOLE, "live")
        attacker, victim = world.traders[0].api_key, world.traders[1].api_key
        rest = Neighbour(world.settings.web.port, victim, world.symbols[0])
        yield from _all_of(world, options, rest, attacker, ATTACKS, "REST")
        listening = SocketNeighbour(world.settings.live.port, world.symbols[0])
        yield from _all_of(world, options, listening, attacker, SOCKET_ATTACKS, "sockets")
        yield from world.proof(PART, "after all attacks")


def _all_of(
    world: World, options: Options, neighbour: Neighbour, key: str, attacks: Iterable[str], where: str
) -> Iterator[Figure]:
    neighbour.watch(1.0)
    yield from _figures(f"{where}, {QUIET}", neighbour.watch(options.seconds))
    for name in attacks:
        with _under_attack(neighbour.port, name, key, world.symbols[1]):
            found = neighbour.watch(options.seconds)
        yield from _figures(name, found)
    neighbour.close()


@contextlib.contextmanager
def _under_attack(port: int, name: str, key: str, symbol: str) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.loads.attacker", name, str(port), key, symbol]
    with subprocess.Popen(command, cwd=ROOT) as process:
        time.sleep(HEAD_START_SECONDS)
        try:
            yield
        finally:
            process.kill()
    time.sleep(RECOVERY_SECONDS)


def _figures(name: str, found: dict[str, Waited]) -> Iterator[Figure]:
    for kind, waited in found.items():
        times = waited.milliseconds
        remark = f"p50 {percentile(times, 0.5):.1f}, longest {percentile(times, 1.0):.0f} ms, of {len(times):,}"
        if waited.failed:
            remark += f"; {len(waited.failed)} failed: {dict(Counter(waited.failed))}"
        yield Figure(PART, f"{name}: {kind}, p99", percentile(times, 0.99), "ms", P99, remark)
