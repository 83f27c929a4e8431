"""Orders, cancels and reads as they come in life: at random times, some stocks far more than others.

The load of a published benchmark of a peer: 700 orders a second (100 %), 35 cancels for each hundred orders, 28 % of
all requests are reads; Poisson arrivals, Zipf 0.95 over the stocks. Above what the machine can do, new orders are to
be refused with 503 and Retry-After, nothing may be half-done, and the exchange must recover by itself.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import requests

from bench.figures import Figure, at_least, at_most, ratio
from bench.loads.arrivals import Ran, run_arrivals
from bench.loads.schedule import BASE, READ_KINDS, Kind, requests_for
from bench.options import Options
from bench.parts.mixed_find import highest_rates
from bench.world.seed import REFERENCE
from bench.world.storage import TRADES_A_DAY, Stored, stored
from bench.world.world import World, until

PART = "mixed"

SHARES: Final = (1.0, 2.0, 2.5)
OVERLOAD: Final = 4.0
OVERLOAD_LIMIT: Final = 500
"""Commands waiting beyond which the overloaded exchange refuses: few, so that a short load gets there."""

STANDSTILL_SECONDS: Final = 1.0
"""For so long the worker is stopped in the midst of the overload, so that commands wait however fast it is."""

ACKNOWLEDGED_P50 = {1.0: at_most(5)}
ACKNOWLEDGED_P99 = {1.0: at_most(20), 2.0: at_most(60), 2.5: at_most(120)}
SETTLED_P50 = {1.0: at_most(5)}
SETTLED_P99 = {1.0: at_most(18)}
"""Milliseconds, by share: where a bare Flask endpoint under stock gunicorn answers 3,500 times a second or more."""

LONGEST_WAIT_SECONDS: Final = 0.025
"""A mean backlog of more than the commands of this time is one: by Little's law each then waits so long."""

WARM_SECONDS = 1


def measure(options: Options) -> Iterator[Figure]:
    """Three rates that the exchange is to keep up with, and one that it need not."""
    with World.of(options) as world:
        world.open()
        run_arrivals(world, options, orders=BASE, seconds=WARM_SECONDS)
        for share in SHARES:
            name = f"{share:.0%} ({BASE * share:,.0f} orders/s)"
            with stored(world) as kept:
                ran = run_arrivals(world, options, orders=BASE * share)
            yield from _figures(name, ran, share)
            yield from _on_disk(name, kept, ran.settled.orders)
            yield from world.proof(PART, name)
    yield from _overload(options)
    if options.find:
        yield from highest_rates(options)


def _figures(name: str, ran: Ran, share: float) -> Iterator[Figure]:
    """The figures of a load that the exchange is to keep up with, at this share of BASE."""
    part, orders = PART, BASE * share
    answers, settled, backlog = ran.answers, ran.settled, ran.backlog
    acknowledged = answers.percentile(0.99, Kind.ORDER)
    yield Figure(
        part,
        f"{name}: order acknowledged, p50",
        answers.percentile(0.5, Kind.ORDER),
        "ms",
        ACKNOWLEDGED_P50.get(share, ()),
    )
    remark = (
        f"p90 {answers.percentile(0.9, Kind.ORDER):.1f}, longest {answers.percentile(1.0, Kind.ORDER):.0f} ms; "
        f"{requests_for(orders):,.0f} requests/s in all, "
        f"for which the client took {answers.client_cpu:.0%} of a processor"
    )
    yield Figure(part, f"{name}: order acknowledged, p99", acknowledged, "ms", ACKNOWLEDGED_P99.get(share, ()), remark)
    remark = f"{settled.orders:,} orders, p90 {settled.p90:.1f}, longest {settled.longest:.0f} ms"
    yield Figure(part, f"{name}: order to settled, p50", settled.p50, "ms", SETTLED_P50.get(share, ()), remark)
    yield Figure(part, f"{name}: order to settled, p99", settled.p99, "ms", SETTLED_P99.get(share, ()))
    limit = round(commands_for(orders) * LONGEST_WAIT_SECONDS)
    remark = (
        f"over time {' '.join(str(count) for count in backlog.over_time())}; at the end {backlog.at_end}, "
        f"gone after {ran.drained:.1f} s"
    )
    yield Figure(part, f"{name}: mean backlog, second half", backlog.later_mean, "commands", at_most(limit), remark)
    for what, kinds in (("cancel answered", (Kind.CANCEL,)), ("read answered", READ_KINDS)):
        remark = f"p50 {answers.percentile(0.5, *kinds):.1f} ms"
        yield Figure(part, f"{name}: {what}, p99", answers.percentile(0.99, *kinds), "ms", (), remark)
    taken = ran.processors
    yield Figure(part, f"{name}: processors, without the client", taken.total, "", (), str(taken))
    remark = f"{answers.left_out} cancels and reads had no order yet"
    yield Figure(part, f"{name}: requests not answered 2xx", answers.not_good(), "", at_most(0), remark)


def _on_disk(name: str, kept: Stored, orders: int) -> Iterator[Figure]:
    """Bytes for each order settled; the log has whole pages after a checkpoint, the more the shorter the load."""
    yield Figure(PART, f"{name}: log of PostgreSQL for each order", ratio(kept.log, orders), "bytes")
    remark = (
        f"{orders / max(1, kept.trades):.2f} orders a trade: {kept.year() / 1e12:.1f} TB after a year of "
        f"{TRADES_A_DAY / 1e6:.0f} million trades a day"
    )
    yield Figure(PART, f"{name}: tables and indexes for each order", ratio(kept.tables, orders), "bytes", (), remark)


def commands_for(orders: float) -> float:
    """Commands a second that so many orders a second bring, at most: some cancels find their order closed."""
    return orders * 1.35


def _overload(options: Options) -> Iterator[Figure]:
    given = options.settings
    settings = replace(given, match=replace(given.match, backlog_limit=OVERLOAD_LIMIT))
    name = f"{OVERLOAD:.0%}, worker stopped for {STANDSTILL_SECONDS:g} s, at most {OVERLOAD_LIMIT} waiting"
    with World(options.stocks, options.brokers, settings) as world:
        world.open()
        run_arrivals(world, options, orders=BASE, seconds=WARM_SECONDS)
        standstill = threading.Thread(target=_stand_still, args=(world, options.seconds / 2))
        standstill.start()
        ran = run_arrivals(world, options, orders=BASE * OVERLOAD)
        standstill.join()
        recovered = _seconds_to_recover(world)
        answers = ran.answers
        refused = answers.answered(503)
        remark = (
            f"{answers.accepted:,} orders accepted, {answers.unanswered} requests unanswered; "
            f"most waiting {ran.backlog.most}, over time {' '.join(str(count) for count in ran.backlog.over_time())}"
        )
        yield Figure(PART, f"{name}: answered 503", refused, "", at_least(1), remark)
        yield Figure(PART, f"{name}: 503 without Retry-After", answers.without_retry_after, "", at_most(0))
        others = answers.not_good() - refused - answers.unanswered
        yield Figure(PART, f"{name}: other answers than 2xx and 503", others, "", at_most(0))
        if not answers.unanswered:
            missing = abs(answers.accepted - ran.settled.orders)
            yield Figure(
                PART, f"{name}: orders acknowledged but not there, or the reverse", missing, "", at_most(0), vital=True
            )
        remark = f"backlog gone after {ran.drained:.1f} s"
        yield Figure(PART, f"{name}: takes orders again after", recovered, "s", at_most(2), remark)
        yield from world.proof(PART, name)


def _stand_still(world: World, after: float) -> None:
    """Stop the worker `after` so many seconds, and let it go on."""
    worker = world.processes.latest("match")
    time.sleep(after)
    worker.send(signal.SIGSTOP)
    time.sleep(STANDSTILL_SECONDS)
    worker.send(signal.SIGCONT)


def _seconds_to_recover(world: World) -> float:
    """From an empty inbox to an order that is accepted and settled. Raises TimeoutError."""
    began = time.monotonic()
    order = {"document_number": "1", "side": "bid", "symbol": world.symbols[0], "quantity": 10, "price": REFERENCE}
    key = {"Authorization": f"Bearer {world.traders[0].api_key}"}

    def accepted() -> bool:
        return requests.post(f"{world.url}/api/v1/orders", json=order, headers=key, timeout=30).status_code == 201

    until(accepted, "an order is accepted again")
    world.drain()
    return time.monotonic() - began
