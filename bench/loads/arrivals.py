"""Run a load at a fixed rate in a process of its own, and what came of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bench.figures import percentile
from bench.loads.schedule import Kind
from bench.options import Options
from bench.world.backlog import Backlog, watched
from bench.world.processors import Processors, counted
from bench.world.seed import REFERENCE
from bench.world.settled import Settled, settled_since
from bench.world.world import World

CONNECTIONS = 128
"""More than the requests that are under way at any time while the exchange keeps up."""

SPREAD = 20
"""Cents around the reference price."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The client's notes: milliseconds from when a request was due to its answer, and how each was answered."""

    latencies: dict[str, list[float]]
    statuses: dict[str, Counter[int]]
    late: list[float]
    unanswered: int
    without_retry_after: int
    left_out: int
    client_cpu: float

    @classmethod
    def of(cls, found: dict[str, Any]) -> Answers:
        """From the client's file."""
        statuses = {
            kind: Counter({int(status): number for status, number in counted.items()})
            for kind, counted in found["statuses"].items()
        }
        return cls(**{**found, "statuses": statuses})

    def percentile(self, share: float, *kinds: Kind) -> float:
        """Over all good answers to requests of these kinds."""
        return percentile([latency for kind in kinds for latency in self.latencies[kind.value]], share)

    def answered(self, status: int) -> int:
        """The number of answers with this status."""
        return sum(counted[status] for counted in self.statuses.values())

    def not_good(self) -> int:
        """Requests that were refused, broken or never answered."""
        refused = sum(
            n for counted in self.statuses.values() for status, n in counted.items() if not 200 <= status < 300
        )
        return refused + self.unanswered

    @property
    def accepted(self) -> int:
        """Orders that were acknowledged."""
        return self.statuses[Kind.ORDER.value][201]


@dataclass(frozen=True, slots=True)
class Ran:
    """One load with everything that is known of it."""

    answers: Answers
    backlog: Backlog
    drained: float
    settled: Settled
    processors: Processors


def run_arrivals(world: World, options: Options, **wanted: Any) -> Ran:
    """Run the client with what is wanted (`bench.loads.open_loop`) and wait until the backlog is gone."""
    first = world.latest_command()
    with watched(world) as backlog, counted(world) as processors:
        found = _run_client(world, options, wanted)
    drained = world.drain()
    return Ran(Answers.of(found), backlog, drained, settled_since(world, first), processors)


def answers_of(world: World, options: Options, **wanted: Any) -> Answers:
    """Run the client with what is wanted, also at another port than the exchange's, and look at nothing else."""
    return Answers.of(_run_client(world, options, wanted))


def _run_client(world: World, options: Options, wanted: dict[str, Any]) -> dict[str, Any]:
    into, out_of = world.folder / "wanted.json", world.folder / "found.json"
    given = {
        "port": world.settings.web.port,
        "connections": CONNECTIONS,
        "symbols": world.symbols,
        "keys": [trader.api_key for trader in world.traders],
        "middle": REFERENCE,
        "spread": SPREAD,
        "seconds": options.seconds,
        "patience": 10 + 2 * options.seconds,
        "seed": options.seed,
    }
    into.write_text(json.dumps({**given, **wanted}), encoding="utf-8")
    process = world.processes.start_module("open-loop", "bench.loads.open_loop", str(into), str(out_of))
    if process.popen.wait() != 0:
        raise RuntimeError(f"the client failed:\n{process.log.read_text(encoding='utf-8')[-2000:]}")
    found: dict[str, Any] = json.loads(out_of.read_text(encoding="utf-8"))
    return found
