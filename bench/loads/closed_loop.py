"""Random orders as fast as answers come, until all of them are settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.figures import Figure
from bench.loads.wrk import Load, orders_script, run_wrk
from bench.options import Options
from bench.world.seed import REFERENCE
from bench.world.settled import Settled, settled_since
from bench.world.world import World

SPREAD = 20
"""Cents around the reference price: about half of the orders meet another."""

WARM_SECONDS = 1
"""For caches of keys and rules, prepared statements and connections."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One load: what wrk saw, and what the exchange made of it."""

    load: Load
    backlog: int
    drained: float
    settled: Settled

    @property
    def rate(self) -> float:
        """Orders a second from the first request to the last settlement."""
        return self.settled.orders / (self.load.seconds + self.drained)

    @property
    def remark(self) -> str:
        """The remark of its figures."""
        return (
            f"answered p50 {self.load.latency['50']:.0f} p99 {self.load.latency['99']:.0f} ms, "
            f"{self.load.failed} requests refused; backlog {self.backlog:,}, gone after {self.drained:.1f} s"
        )


def measured(world: World, options: Options, connections: int, symbols: Sequence[str], batch: int = 1) -> Measured:
    """Random orders on `symbols`, `batch` in a request, until the backlog is gone. Raises CannotMeasure."""
    first = world.latest_command()
    load = run_wrk(world.url, options.seconds, connections, _script(world, options, symbols, batch), world.folder)
    backlog, drained = world.backlog(), world.drain()
    return Measured(load, backlog, drained, settled_since(world, first))


def settled_figures(part: str, name: str, settled: Settled) -> Iterator[Figure]:
    """The times from acceptance to settlement (ms), without targets."""
    remark = f"{settled.orders:,} orders, p90 {settled.p90:.0f}, longest {settled.longest:.0f} ms"
    yield Figure(part, f"{name}: order to settled, p50", settled.p50, "ms", (), remark)
    yield Figure(part, f"{name}: order to settled, p99", settled.p99, "ms")


def warm_up(world: World, options: Options) -> None:
    """A short load that is not counted."""
    run_wrk(world.url, WARM_SECONDS, 64, _script(world, options, world.symbols, 1), world.folder)
    world.drain()


def _script(world: World, options: Options, symbols: Sequence[str], batch: int) -> str:
    """wrk's script for this world."""
    keys = [trader.api_key for trader in world.traders]
    return orders_script(symbols, keys, batch=batch, middle=REFERENCE, spread=SPREAD, seed=options.seed)
