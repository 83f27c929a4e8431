"""Whether cost grows with work only: the same loads with a long history, with deep books, with many stocks.

Each exchange is compared with a small one that gets the same load. Deep books are a few, so that every order meets
one of them; their small counterpart has as few stocks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.baselines.bare_server import BareServer
from bench.figures import Figure, at_least, at_most, mean, ratio
from bench.loads.arrivals import Ran, run_arrivals
from bench.loads.closed_loop import warm_up
from bench.loads.schedule import BASE, Kind
from bench.options import Options
from bench.parts.rest import Compared, load_orders
from bench.world.history import add_cancelled_orders, add_open_orders
from bench.world.past_trades import add_filled_orders
from bench.world.world import World

PART = "growth"

CONNECTIONS: Final = 64
MIXED_SHARE: Final = 0.5
"""Of the mixed load's 100 %: where requests queue, a tenth more work is many times the milliseconds, and a quotient of
two queues tells nothing of either."""

DEEP_STOCKS: Final = 10

NOT_SLOWER = at_least(0.8)
"""Of the small exchange's orders."""

NOT_LATER = at_most(1.2)
"""Times the small exchange's milliseconds."""


@dataclass(frozen=True, slots=True)
class Case:
    """An exchange to be measured: its name, its size, and what it begins with."""

    name: str
    stocks: int
    begin: Callable[[World], None] | None = None


@dataclass(frozen=True, slots=True)
class Loads:
    """The figures of the two loads in one exchange: orders for each bare answer, and medians in milliseconds."""

    orders: float
    settled: float
    acknowledged: float
    remark: str

    @classmethod
    def of(cls, rest: Compared, mixed: Ran) -> Loads:
        """The figures that are compared."""
        return cls(rest.ratio(), mixed.settled.p50, mixed.answers.percentile(0.5, Kind.ORDER), rest.remark)


def groups(options: Options) -> list[tuple[Case, list[Case]]]:
    """Small exchanges, each with those that are compared with it."""
    closed, deep, many = options.closed_orders, options.deep_orders, options.many_stocks
    few = min(DEEP_STOCKS, options.stocks)
    large = [
        Case(f"{closed:,} closed orders", options.stocks, lambda world: add_closed_orders(world, closed)),
        Case(f"{many:,} stocks", many),
    ]
    deep_books = Case(f"{few} books of {deep:,} orders", few, lambda world: add_open_orders(world, deep))
    return [(Case("small", options.stocks), large), (Case(f"small, {few} stocks", few), [deep_books])]


def add_closed_orders(world: World, orders: int) -> None:
    """A past of that many orders: half of them cancelled, half of them filled."""
    filled = orders // 4 * 2
    add_cancelled_orders(world, orders - filled)
    add_filled_orders(world, filled)


def measure(options: Options) -> Iterator[Figure]:
    """One order a request with 64 connections, then half the mixed load, in each exchange. Raises CannotMeasure.

    The small exchange is measured before and after the others, and the mean counts.
    """
    for small, others in groups(options):
        around = [(yield from _measured(small, options))]
        found = {}
        for case in others:
            found[case.name] = yield from _measured(case, options)
        around.append((yield from _measured(small, options)))
        for name, loads in found.items():
            yield from compared(name, loads, around)


def _measured(case: Case, options: Options) -> Generator[Figure, None, Loads]:
    """Both loads in an exchange of its own; gives their figures, and returns what is compared."""
    with World(case.stocks, options.brokers, options.settings) as world:
        if case.begin is not None:
            case.begin(world)
        world.open()
        with BareServer(world) as bare:
            warm_up(world, options)
            rest = load_orders(world, [bare], options, CONNECTIONS, world.symbols)
        loads = Loads.of(rest, run_arrivals(world, options, orders=BASE * MIXED_SHARE))
        yield Figure(PART, f"{case.name}: orders, of the bare endpoint", loads.orders, "", (), loads.remark)
        yield Figure(PART, f"{case.name}: mixed, order to settled, p50", loads.settled, "ms")
        yield Figure(PART, f"{case.name}: mixed, order acknowledged, p50", loads.acknowledged, "ms")
        yield from world.proof(PART, case.name)
    return loads


def compared(name: str, loads: Loads, small: Sequence[Loads]) -> Iterator[Figure]:
    """The figures of an exchange in units of the small one's."""
    orders = ratio(loads.orders, mean([run.orders for run in small]))
    settled = ratio(loads.settled, mean([run.settled for run in small]))
    acknowledged = ratio(loads.acknowledged, mean([run.acknowledged for run in small]))
    yield Figure(PART, f"{name} to small: orders", orders, "×", NOT_SLOWER)
    yield Figure(PART, f"{name} to small: order to settled, p50", settled, "×", NOT_LATER)
    yield Figure(PART, f"{name} to small: order acknowledged, p50", acknowledged, "×", NOT_LATER)
