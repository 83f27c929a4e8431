"""How much of a processor each part of the exchange takes: less noisy than any latency, and what latency is made of."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.world.world import WHOLE, World

OF_THE_BENCH = "minex-bench"
BACKENDS = "SELECT pid, application_name AS name FROM pg_stat_activity WHERE application_name <> ''"
POSTGRES = "postgres"


class Processors:
    """What was taken between two moments, in seconds of processor for each second."""

    def __init__(self) -> None:
        self.shares: dict[str, float] = {}

    def __str__(self) -> str:
        return ", ".join(f"{name} {share:.3f}" for name, share in sorted(self.shares.items()) if share >= 0.0005)

    @property
    def total(self) -> float:
        """Of all together."""
        return sum(self.shares.values())


@contextmanager
def counted(world: World) -> Iterator[Processors]:
    """Filled when the block is over. What ends within it is not counted, nor the bench itself."""
    found = Processors()
    before, began = _used(world), time.monotonic()
    yield found
    after, seconds = _used(world), time.monotonic() - began
    shares: defaultdict[str, float] = defaultdict(float)
    for which, used in after.items():
        shares[which[0]] += used - before.get(which, 0.0)
    found.shares = {name: used / seconds for name, used in shares.items()}


def _used(world: World) -> dict[tuple[str, int], float]:
    """Seconds of processor so far, by name and pid."""
    used: dict[tuple[str, int], float] = {}
    for name in WHOLE:
        process = psutil.Process(world.processes.latest(name).popen.pid)
        for each in (process, *process.children(recursive=True)):
            used[name, each.pid] = _seconds(each)
    names = {row.pid: f"{POSTGRES} {row.name}" for row in world.rows(BACKENDS)}
    for each in psutil.Process(world.postgres.pid).children():
        name = names.get(each.pid, POSTGRES)
        if OF_THE_BENCH not in name:
            used[name, each.pid] = _seconds(each)
    used["valkey", 0] = _seconds(psutil.Process(world.valkey.pid))
    return used


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system
