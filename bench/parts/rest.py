"""One order a request, as fast as answers come, next to a bare endpoint under the same server.

Orders count when they are settled, and the time until the last one is part of the time: an exchange that takes in more
than it can match gains nothing by it. The bare endpoint is measured right before and right after each load, with as
many connections, and the mean counts: machines drift, and the ratio must not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.baselines.bare_server import BareServer
from bench.figures import Figure, Target, at_least, mean, ratio
from bench.loads.closed_loop import Measured, measured, settled_figures, warm_up
from bench.options import Options
from bench.world.profile import profiled
from bench.world.world import World

PART = "rest"

STEPS = at_least(0.22, 0.35, 0.5)
"""Of the bare endpoint, with 64 connections."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One load, and the bare endpoint's answers a second around it."""

    measured: Measured
    bare: float

    @property
    def ratio(self) -> float:
        """Settled orders for each answer of the bare endpoint."""
        return ratio(self.measured.rate, self.bare)

    @property
    def remark(self) -> str:
        """The remark of its figures."""
        return f"{self.measured.load.good_per_second:,.0f} answers/s of {self.bare:,.0f}, {self.measured.remark}"


def measure(options: Options) -> Iterator[Figure]:
    """Loads with 16 and 64 connections over all stocks, and on one hot stock. Raises CannotMeasure."""
    with World.of(options) as world:
        world.open()
        with BareServer(world) as bare:
            warm_up(world, options)
            yield from _figures(world, bare, options, "all stocks, 16 connections", 16, world.symbols)
            with profiled(world, options):
                yield from _figures(world, bare, options, "all stocks, 64 connections", 64, world.symbols, STEPS)
            yield from _figures(world, bare, options, "one hot stock, 64 connections", 64, world.symbols[:1])


def _figures(
    world: World,
    bare: BareServer,
    options: Options,
    name: str,
    connections: int,
    symbols: Sequence[str],
    steps: tuple[Target, ...] = (),
) -> Iterator[Figure]:
    compared = load_orders(world, bare, options, connections, symbols)
    yield Figure(PART, f"{name}: settled", compared.measured.rate, "orders/s")
    yield Figure(PART, f"{name}: of the bare endpoint", compared.ratio, "", steps, compared.remark)
    yield from settled_figures(PART, name, compared.measured.settled)
    yield from world.proof(PART, name)


def load_orders(world: World, bare: BareServer, options: Options, connections: int, symbols: Sequence[str]) -> Compared:
    """Random orders on `symbols`, one a request, until the backlog is gone."""
    before = bare.load(options.seconds, connections)
    load = measured(world, options, connections, symbols)
    after = bare.load(options.seconds, connections)
    return Compared(load, mean([before.good_per_second, after.good_per_second]))
