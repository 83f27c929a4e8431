"""What there is to gain and what there is to beat: the database alone, a bare endpoint, and a job for each order."""

from __future__ import annotations

from collections.abc import Iterator

from bench.baselines import naive, storage
from bench.baselines.bare_server import BareServer
from bench.figures import Figure
from bench.options import Options
from bench.world.world import World

PART = "ceilings"

CLIENTS = (1, 16)
CONNECTIONS = (16, 64)
NAIVE_JOBS_A_SECOND = 100
"""How many jobs are enqueued for each second of a load: a little less than such workers run."""


def measure(options: Options) -> Iterator[Figure]:
    """Orders stored, answers given, and orders settled by a job each, a second. Raises CannotMeasure."""
    for clients in CLIENTS:
        rate = storage.orders_stored(options, clients)
        yield Figure(PART, f"PostgreSQL alone, {_counted(clients, 'client')}", rate, "orders/s", (), storage.method())
    yield from _bare(options)
    yield from _naive(options)


def _bare(options: Options) -> Iterator[Figure]:
    with World(1, 1, options.settings) as world:
        world.open("web")
        with BareServer(world) as bare:
            for connections in CONNECTIONS:
                load = bare.load(options.seconds, connections)
                yield Figure(PART, f"bare Flask endpoint, {connections} connections", load.good_per_second, "answers/s")


def _naive(options: Options) -> Iterator[Figure]:
    with World.of(options) as world:
        jobs = NAIVE_JOBS_A_SECOND * options.seconds
        rate = naive.orders_settled(world, jobs, options.seed)
        remark = f"{naive.WORKERS} stock RQ SimpleWorkers, {jobs:,} jobs"
        yield Figure(PART, "a job for each order", rate, "orders/s", (), remark)
        yield from world.proof(PART, "a job for each order")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
