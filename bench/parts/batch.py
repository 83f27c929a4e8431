"""A hundred orders a request, until all of them are matched and settled, next to the database alone.

The ceiling is what PostgreSQL stores of the same write set in single statements for 16 clients
(`bench.baselines.storage`), measured right before and right after the load. It only stores; the exchange has
validated, matched and settled too.
"""

from __future__ import annotations

from collections.abc import Iterator

import requests

from bench.baselines import storage
from bench.figures import CannotMeasure, Figure, at_least, mean, ratio
from bench.loads.closed_loop import measured, settled_figures, warm_up
from bench.options import Options
from bench.world.seed import REFERENCE
from bench.world.world import World

PART = "batch"

ORDERS = 100
"""In one request."""

CONNECTIONS = (2, 8)
"""As many requests as there are web processes, and more of them than can be worked on at once."""

CEILING_CLIENTS = 16
STEPS = at_least(0.6, 1.2)
"""Of the ceiling."""


def measure(options: Options) -> Iterator[Figure]:
    """Orders a second from the first request to the last settlement, over all stocks. Raises CannotMeasure."""
    with World.of(options) as world:
        world.open()
        _try_endpoint(world)
        warm_up(world, options)
        around = [storage.orders_stored(options, CEILING_CLIENTS)]
        loads = {}
        for connections in CONNECTIONS:
            name = f"{ORDERS} orders a request, {connections} connections"
            loads[name] = load = measured(world, options, connections, world.symbols, ORDERS)
            yield Figure(PART, f"{name}: settled", load.rate, "orders/s", (), load.remark)
            yield from settled_figures(PART, name, load.settled)
            yield from world.proof(PART, name)
        around.append(storage.orders_stored(options, CEILING_CLIENTS))
        remark = f"{mean(around):,.0f} orders/s, {storage.method()}"
        for name, load in loads.items():
            yield Figure(PART, f"{name}: of PostgreSQL alone", ratio(load.rate, mean(around)), "", STEPS, remark)


def _try_endpoint(world: World) -> None:
    """See that each order of a batch gets its own answer. Raises CannotMeasure where there is no such endpoint."""
    order = {"document_number": "1", "symbol": world.symbols[0], "quantity": 10, "price": REFERENCE}
    sides = ("bid", "neither", "ask")
    answer = requests.post(
        f"{world.url}/api/v1/orders/batch",
        json={"orders": [{**order, "side": side} for side in sides]},
        headers={"Authorization": f"Bearer {world.traders[0].api_key}"},
        timeout=30,
    )
    if answer.status_code in (404, 405):
        raise CannotMeasure("this exchange has no POST /api/v1/orders/batch")
    statuses = [result["status"] for result in answer.json()["results"]] if answer.ok else answer.text
    if not isinstance(statuses, list) or [status == 201 for status in statuses] != [True, False, True]:
        raise RuntimeError(f"a batch with one wrong order of three was answered {answer.status_code}: {statuses}")
