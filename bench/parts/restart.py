"""How soon killed processes serve again, the group worker with full books, and what an open order costs it in memory.

Books are rebuilt when their stock is first traded. So that nothing is put off, a new order goes to every stock: the
worker serves again when the last of them is settled, with every book back in memory. The web process serves again when
an order is acknowledged; its port is open meanwhile, as under the supervisor, who starts it again at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psutil
import requests

from bench.figures import Figure, at_most, mean, ratio
from bench.options import Options
from bench.world.history import GAP, add_open_orders
from bench.world.seed import REFERENCE
from bench.world.world import World, until
from database.session import transaction
from machine.ports import listener
from queues.connection import connect as connect_redis
from queues.wakeups import Wakeups
from services.errors import Failed, MarketError
from services.order_entry.placing.place import place_orders
from services.order_entry.requests import NewOrder, OrderRequest
from services.stocks.listing import rules_of

PART = "restart"

KILLS = 3
"""The worker is killed so often; the mean counts, for a start takes longer or shorter by a third."""

LOOK_SECONDS = 0.005
SETTLES_AGAIN = at_most(1.5)
ANSWERS_AGAIN = at_most(1)
"""Seconds."""

BYTES_AN_ORDER = at_most(1024)


def measure(options: Options) -> Iterator[Figure]:
    """Seconds from SIGKILL to the first and the last new order settled, and bytes for each open order."""
    with World.of(options) as world:
        each = options.open_orders // len(world.symbols)
        add_open_orders(world, each)
        world.open()
        yield _memory(world, each)
        times = [_restart(world) for _ in range(KILLS)]
        name = f"{each * len(world.symbols):,} open orders, worker killed"
        for what, seconds, targets in (
            ("first new order settled", [first for first, _ in times], ()),
            ("every stock settles again", [last for _, last in times], SETTLES_AGAIN),
        ):
            remark = f"mean of {' '.join(f'{took:.2f}' for took in seconds)}"
            yield Figure(PART, f"{name}: {what} after", mean(seconds), "s", targets, remark)
        seconds = [*_web_restarts(world)]
        remark = f"mean of {' '.join(f'{took:.2f}' for took in seconds)}"
        yield Figure(PART, "web killed: an order is acknowledged after", mean(seconds), "s", ANSWERS_AGAIN, remark)
        yield from world.proof(PART, name)


def _web_restarts(world: World) -> Iterator[float]:
    """Seconds from the kill of the web process to the first order that is acknowledged."""
    trader, symbol = world.traders[0], world.symbols[0]
    key = {"Authorization": f"Bearer {trader.api_key}"}
    order = {"document_number": "1", "side": "bid", "symbol": symbol, "quantity": 10, "price": REFERENCE - GAP}
    web = world.settings.web
    world.processes.latest("web").kill()
    with listener(web.port, web.host) as port:
        for _ in range(KILLS):
            process = world.processes.start("web", listener=port)
            began = time.monotonic()
            answer = requests.post(f"{world.url}/api/v1/orders", json=order, headers=key, timeout=30)
            answer.raise_for_status()
            yield time.monotonic() - began
            process.kill()


def _memory(world: World, each: int) -> Figure:
    """The growth of the worker's resident memory for each order when it rebuilds all books but one."""
    worker = psutil.Process(world.processes.latest("match").popen.pid)
    _place(world, world.symbols[:1])
    world.drain()
    before = worker.memory_info().rss
    _place(world, world.symbols[1:])
    world.drain()
    after = worker.memory_info().rss
    orders = each * (len(world.symbols) - 1)
    remark = f"resident {before / 2**20:.0f} MB, then {after / 2**20:.0f} MB with {orders:,} more in memory"
    return Figure(PART, "memory for each open order", ratio(after - before, orders), "bytes", BYTES_AN_ORDER, remark)


def _restart(world: World) -> tuple[float, float]:
    """Seconds from the kill to the first and to the last new order settled. Raises TimeoutError."""
    began = time.monotonic()
    world.processes.latest("match").kill()
    world.processes.start("match")
    placed = _place(world, world.symbols)
    until(lambda: world.backlog() < placed, "the first order is settled", every=LOOK_SECONDS)
    first = time.monotonic() - began
    until(lambda: world.backlog() == 0, "every stock settles again", every=LOOK_SECONDS)
    return first, time.monotonic() - began


def _request(symbol: str) -> OrderRequest:
    price, fingerprint = REFERENCE - GAP + 1, f"restart {symbol}".encode()
    return OrderRequest(symbol, "52998", "bid", "limit", "gtc", price, 10, fingerprint)


def _place(world: World, symbols: list[str]) -> int:
    """One bid on each of these stocks, better than every open one and too low to trade, and the wake-ups; how many."""
    with transaction(world.engine) as session:
        rules = rules_of(session, symbols)
        orders = [NewOrder(world.traders[0].broker_id, _request(symbol)) for symbol in symbols]
        market, limits = world.settings.market, world.settings.limits
        answers = place_orders(lambda work: work(session), orders, rules, market, datetime.now(UTC), limits)
        for answer in answers:
            if isinstance(answer, Failed):
                raise answer.error
            if isinstance(answer, MarketError):
                raise answer
    redis = connect_redis(world.settings.redis)
    try:
        Wakeups(redis).wake([(symbol, rules[symbol].group_name) for symbol in symbols])
    finally:
        redis.close()
    return len(orders)
