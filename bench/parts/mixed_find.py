"""The highest rate of the mixed load that is borne, by the exchange and by a bare endpoint under stock gunicorn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bench.baselines.bare_server import BareServer
from bench.figures import Figure, ratio
from bench.loads.arrivals import Answers, answers_of, run_arrivals
from bench.loads.schedule import BASE, Kind
from bench.options import Options
from bench.world.world import World

PART: Final = "mixed"

LONGEST: Final = 100
"""Milliseconds from when an order was due to its answer, at p99: with more a rate is not borne."""

STEP: Final = 1.4
CLOSE_ENOUGH: Final = 1.06
"""How much is tried at once until a rate is too high, and how close the answer is to come."""

HIGHEST: Final = 40.0
"""Shares of BASE beyond which the client itself is too slow."""


def highest_rates(options: Options) -> Iterator[Figure]:
    """Of the exchange, and how that compares. Raises CannotMeasure."""
    with World.of(options) as world:
        world.open()
        run_arrivals(world, options, orders=BASE, seconds=1)
        own = highest(lambda share: _is_borne(run_arrivals(world, options, orders=BASE * share).answers))
        yield from world.proof(PART, "after the highest rate")
        with BareServer(world, stock=True) as bare:
            stock = highest(lambda share: _is_borne(answers_of(world, options, orders=BASE * share, port=bare.port)))
    name = f"highest rate with acknowledged p99 ≤ {LONGEST} ms"
    yield Figure(PART, name, own * BASE, "orders/s", (), f"{own:.0%}")
    remark = f"which bears {stock:.0%}"
    yield Figure(PART, f"{name}: of a bare endpoint under stock gevent", ratio(own, stock), "", (), remark)


def highest(is_borne: Callable[[float], bool]) -> float:
    """The highest share that is borne, from below, CLOSE_ENOUGH; 0 where not even 1 is."""
    borne, too_much = 0.0, 1.0
    while too_much <= HIGHEST and is_borne(too_much):
        borne, too_much = too_much, too_much * STEP
    while borne and too_much / borne > CLOSE_ENOUGH:
        middle = (borne * too_much) ** 0.5
        if is_borne(middle):
            borne = middle
        else:
            too_much = middle
    return borne


def _is_borne(answers: Answers) -> bool:
    return not answers.not_good() and answers.percentile(0.99, Kind.ORDER) <= LONGEST
