"""One order a request, as fast as answers come, next to a bare endpoint.

Orders count when they are settled, and the time until the last one is part of the time: an exchange that takes in more
than it can match gains nothing by it. The bare endpoint is measured right before and right after each load, with as
many connections, and the mean counts: machines drift, and the ratio must not. Under the exchange's own server it is
what an order costs beyond HTTP; under stock gunicorn, what anybody gets who answers JSON from Flask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.baselines.bare_server import BareServer
from bench.figures import Figure, at_least, mean, ratio
from bench.loads.closed_loop import Measured, measured, settled_figures, warm_up
from bench.options import Options
from bench.world.profile import profiled
from bench.world.world import World

PART = "rest"

STEPS = {64: at_least(0.8, 1.0), 16: at_least(0.6)}
"""Of the bare endpoint under stock gunicorn, by connections."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One load, and the bare endpoint's answers a second around it."""

    measured: Measured
    bare: Sequence[float]

    def ratio(self, which: int = 0) -> float:
        """Settled orders for each answer of that bare endpoint, in the order in which they were given."""
        return ratio(self.measured.rate, self.bare[which])

    @property
    def remark(self) -> str:
        """The remark of its figures."""
        bare = " · ".join(f"{rate:,.0f}" for rate in self.bare)
        return f"{self.measured.load.good_per_second:,.0f} answers/s of {bare}, {self.measured.remark}"


def measure(options: Options) -> Iterator[Figure]:
    """Loads with 16 and 64 connections over all stocks, and on one hot stock. Raises CannotMeasure."""
    with World.of(options) as world:
        world.open()
        with BareServer(world) as own, BareServer(world, stock=True) as stock:
            both = (own, stock)
            warm_up(world, options)
            yield from _figures(world, both, options, "all stocks, 16 connections", 16, world.symbols)
            with profiled(world, options):
                yield from _figures(world, both, options, "all stocks, 64 connections", 64, world.symbols)
            yield from _figures(world, both, options, "one hot stock, 64 connections", 64, world.symbols[:1])


def _figures(
    world: World, both: Sequence[BareServer], options: Options, name: str, connections: int, symbols: Sequence[str]
) -> Iterator[Figure]:
    compared = load_orders(world, both, options, connections, symbols)
    steps = STEPS[connections] if len(symbols) > 1 else ()
    yield Figure(PART, f"{name}: settled", compared.measured.rate, "orders/s")
    yield Figure(PART, f"{name}: of the bare endpoint", compared.ratio(), "", (), compared.remark)
    yield Figure(PART, f"{name}: of stock gevent", compared.ratio(1), "", steps)
    yield from settled_figures(PART, name, compared.measured.settled)
    yield from world.proof(PART, name)


def load_orders(
    world: World, bare: Sequence[BareServer], options: Options, connections: int, symbols: Sequence[str]
) -> Compared:
    """Random orders on `symbols`, one a request, until the backlog is gone."""
    before = [server.load(options.seconds, connections).good_per_second for server in bare]
    load = measured(world, options, connections, symbols)
    after = [server.load(options.seconds, connections).good_per_second for server in bare]
    return Compared(load, [mean(pair) for pair in zip(before, after, strict=True)])
