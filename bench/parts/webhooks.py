"""What a broker's troubled receiver costs another one's, whether everybody is told what was promised, and in order.

Two brokers buy equally often. The receiver of A is well, then down, failing, slow, and well again; that of B is well
all the time. A delay is that from the commit of a trade, PostgreSQL's own time of it, to the receiver's having it, by
the clock of the same machine; how far the last phase is from the first, which is like it, is chance. Then a third
broker, C: its receiver is down until much waits for it, and time is moved by setting its deliveries back by an hour.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import text

from bench.figures import Figure, at_most, percentile, ratio
from bench.loads.arrivals import run_arrivals
from bench.loads.receivers import Hooked, Manner, failing_every_other, slow, well
from bench.options import Options
from bench.world.told import Attempt, attempts_of, changed, missing, out_of_order, too_soon, twice
from bench.world.world import World, until
from client import Exchange
from services.webhooks.claims import PROBE_SECONDS
from settings.sections import Settings
from workers.sending.telling import UNSTEADY_SECONDS

PART = "webhooks"

EACH: Final = 25
"""Trades a second of each broker: with those who sell to them 100 orders a second, so that processors are to spare."""

SLOW_SECONDS: Final = 3.0
WARM_SECONDS: Final = 1

AGAIN: Final = ("1", "2")
"""Seconds until what failed is tried again; from then on every two, so that a phase of seconds has several tries."""

ARRIVED = at_most(60)
"""Seconds."""

COMMITTED = """
    SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM trades
    WHERE id > :after AND buyer_id = :broker_id
"""
LATEST_TRADE = "SELECT coalesce(max(id), 0) FROM trades"
IS_PROBED = "SELECT is_probed FROM webhook_endpoints WHERE broker_id = :broker_id"
TRIES = "SELECT max(tries) FROM webhook_deliveries WHERE broker_id = :broker_id AND status = 'pending'"

AN_HOUR_EARLIER = (
    """
    UPDATE webhook_deliveries SET created_at = created_at - interval '1 hour',
        next_attempt_at = next_attempt_at - interval '1 hour' WHERE broker_id = :broker_id
    """,
    """
    UPDATE webhook_endpoints SET failing_since = failing_since - interval '1 hour',
        probe_at = probe_at - interval '1 hour' WHERE broker_id = :broker_id
    """,
)


@dataclass(frozen=True, slots=True)
class Phase:
    """What was seen while A's receiver was in one state; B's delays in milliseconds, times in seconds since 1970."""

    name: str
    began: float
    ended: float
    delays: list[float]
    waiting: int
    """What A had not been told at its end."""

    @property
    def p99(self) -> float:
        """Of B's delays."""
        return percentile(self.delays, 0.99)


def measure(options: Options) -> Iterator[Figure]:
    """B's delays phase by phase, the seconds until C has everything, and whether all promises were kept."""
    with World(1, 6, _settings(options)) as world, contextlib.ExitStack() as stack:
        world.open()
        world.processes.start("webhooks")
        brokers = [Hooked(name, world, trader) for name, trader in zip("ABC", world.traders[1::2], strict=True)]
        for one in brokers:
            stack.callback(one.close)
        troubled, other, dead = brokers
        yield from _side_by_side(world, options, troubled, other)
        yield from _after_an_hour(world, dead, options.waiting)
        for one in brokers:
            yield from _promises(world, one)
        yield from world.proof(PART, "after all of it")


def _settings(options: Options) -> Settings:
    """What fails is tried again for as long as all phases can take."""
    given = options.settings
    schedule = AGAIN + AGAIN[-1:] * (60 + 3 * options.seconds)
    return replace(given, webhooks=replace(given.webhooks, enabled=True, allow_private=True, schedule=schedule))


def _side_by_side(world: World, options: Options, troubled: Hooked, other: Hooked) -> Iterator[Figure]:
    for one in (troubled, other):
        one.receiver.listen()
    _run(world, replace(options, seconds=WARM_SECONDS), troubled, other, "warm", well)
    manners: dict[str, Manner | None] = {
        "both well": well,
        "A is down": None,
        "A fails every other request": failing_every_other(),
        f"A answers after {SLOW_SECONDS:g} s": slow(SLOW_SECONDS),
        "A is well again": well,
        "both well at the end": well,
    }
    phases: list[Phase] = []
    for name, manner in manners.items():
        phases.append(_run(world, options, troubled, other, name, manner))
        yield from _delays_of(phases[-1], phases[0])
    troubled.until_told()
    attempts = attempts_of(world, troubled.broker_id)
    for phase in phases:
        yield _tries(phase, attempts)
    sooner = too_soon(attempts, UNSTEADY_SECONDS)
    yield Figure(PART, "A: tried again before its time", len(sooner), "", at_most(0), "; ".join(sooner[:1]), vital=True)


def _run(world: World, options: Options, troubled: Hooked, other: Hooked, name: str, manner: Manner | None) -> Phase:
    """Trade while A's receiver is like that; None: while it is down."""
    if manner is None:
        troubled.receiver.leave()
    else:
        troubled.receiver.manner = manner
        troubled.receiver.listen()
    began, after = time.time(), world.scalar(LATEST_TRADE)
    keys = [trader.api_key for trader in world.traders[:4]]
    refused = run_arrivals(world, options, trades=2 * EACH, keys=keys).answers.not_good()
    if refused:
        raise RuntimeError(f"{name}: {refused} orders were not acknowledged")
    other.until_told()
    arrived: dict[int, float] = {}
    for told in other.receiver.told:
        arrived.setdefault(told.message["trade_id"], told.at)
    committed = world.rows(COMMITTED, after=after, broker_id=other.broker_id)
    delays = [(arrived[trade_id] - float(at)) * 1000 for trade_id, at in committed if trade_id in arrived]
    return Phase(name, began, time.time(), delays, troubled.waiting())


def _delays_of(phase: Phase, baseline: Phase) -> Iterator[Figure]:
    remark = f"of {len(phase.delays):,}, longest {percentile(phase.delays, 1.0):.0f} ms"
    yield Figure(PART, f"{phase.name}: commit to B's receiver, p50", percentile(phase.delays, 0.5), "ms", (), remark)
    yield Figure(PART, f"{phase.name}: commit to B's receiver, p99", phase.p99, "ms")
    if phase is not baseline:
        yield Figure(PART, f"{phase.name}: p99 to that of {baseline.name}", ratio(phase.p99, baseline.p99), "×")


def _tries(phase: Phase, attempts: list[Attempt]) -> Figure:
    outcomes = Counter(each.outcome for each in attempts if phase.began <= each.at < phase.ended)
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.most_common())
    remark = f"{told or 'none'}; {phase.waiting:,} waiting at the end"
    return Figure(PART, f"{phase.name}: tries of A", outcomes.total(), "", (), remark)


def _after_an_hour(world: World, dead: Hooked, fills: int) -> Iterator[Figure]:
    """So many deliveries wait, and time is moved; then the exchange fails once more, and then the receiver answers."""
    with contextlib.closing(Exchange(world.url, world.traders[4].api_key, document="1")) as seller:
        dead.buy(seller, fills)
        until(lambda: world.scalar(IS_PROBED, broker_id=dead.broker_id), "the exchange knows that C is down")
        with world.engine.begin() as connection:
            for statement in AN_HOUR_EARLIER:
                connection.execute(text(statement), {"broker_id": dead.broker_id})
        world.tidy()
        tries = int(world.scalar(TRIES, broker_id=dead.broker_id))
        dead.buy(seller, 1)
    until(lambda: world.scalar(TRIES, broker_id=dead.broker_id) > tries, "C is tried once more")
    waiting, receiver, began = dead.waiting(), dead.receiver, time.time()
    receiver.listen()
    dead.until_told()
    times = [told.at for told in receiver.told]
    first, last = min(times), max(times)
    remark = (
        f"tried again after {first - began:.1f} s, which by the default schedule are up to {PROBE_SECONDS}; "
        f"then {ratio(waiting, last - first):,.0f} a second"
    )
    yield Figure(PART, f"C is back after an hour: {waiting:,} have arrived after", last - began, "s", ARRIVED, remark)


def _promises(world: World, one: Hooked) -> Iterator[Figure]:
    """What a broker was promised, and what became of it; the remark begins with the first promise that was broken."""
    told, attempts = one.receiver.told, attempts_of(world, one.broker_id)
    fills: list[Any] = list(one.exchange.fills(after=0))
    alone = sum(request.is_alone for request in told)
    for what, broken, remark in (
        ("executions that never arrived", missing(told, fills), f"of {len(fills):,} fills"),
        ("messages out of order", out_of_order(told, attempts), f"of {len(told):,}; {alone} came set aside"),
        ("messages not signed, or changed", [*one.receiver.unsigned, *changed(told)], f"of {len(told):,}"),
    ):
        remarks = "; ".join([*broken[:1], remark])
        yield Figure(PART, f"{one.name}: {what}", len(broken), "", at_most(0), remarks, vital=True)
    yield Figure(PART, f"{one.name}: messages that came twice", twice(told))
