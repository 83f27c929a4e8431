"""The design to compare with: an RQ job for each order, run by RQ's own SimpleWorker.

Each job places its order, matches its stock and settles, by the exchange's own services. Everything is as durable and
as correct as in the exchange; only the batching is missing.
"""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime
from functools import cache
from typing import Final

from redis import Redis
from rq import Queue
from sqlalchemy import Engine

from bench.world.seed import REFERENCE
from bench.world.world import World, until
from database.session import transaction
from embedded.run import RunProcess
from queues.bus import Bus
from queues.connection import connect as connect_redis
from services.errors import MarketError
from services.order_entry.placing.place import place_orders
from services.order_entry.requests import NewOrder, OrderRequest
from settings.loading import load_settings
from workers.database import connect_worker
from workers.matcher import Matcher

QUEUE: Final = "naive"
WORKERS: Final = 2
"""As many as there are web processes in the exchange."""

SPREAD: Final = 20
"""Cents around the reference price."""

RATE = """
    SELECT count(*) / greatest(extract(epoch FROM max(pg_xact_commit_timestamp(xmin)) - min(created_at)), 0.001)
    FROM commands WHERE sequence IS NOT NULL
"""
"""Orders settled a second, from when the first was placed to when the last was settled."""


def trade_one(broker_id: int, symbol: str, side: str, price: int, quantity: int) -> None:
    """The job: place one order, match its stock, settle. Price in cents, quantity in shares."""
    engine, matcher = _connected()
    market = load_settings().market
    with transaction(engine) as session:
        fingerprint = hashlib.sha256(f"{broker_id} {symbol} {side} {price} {quantity}".encode()).digest()
        request = OrderRequest(symbol, "52998", side, "limit", "gtc", price, quantity, fingerprint)
        order = NewOrder(broker_id, request)
        (placed,) = place_orders(lambda work: work(session), [order], {}, market, datetime.now(UTC))
    if isinstance(placed, MarketError):
        raise placed
    while matcher.run_once([symbol]):
        continue


@cache
def _connected() -> tuple[Engine, Matcher]:
    """One connection and one set of books for all jobs of a worker."""
    settings = load_settings()
    engine = connect_worker(settings, "minex-naive")
    return engine, Matcher(engine, Bus(connect_redis(settings.redis)), settings, settings.match.turn_limit)


def orders_settled(world: World, orders: int, seed: int) -> float:
    """Orders a second that the workers place, match and settle, until all are. Raises TimeoutError."""
    redis = connect_redis(world.settings.redis)
    queue = Queue(QUEUE, connection=redis)
    choose = random.Random(seed)
    for _ in range(orders):
        request = (
            choose.choice(world.traders).broker_id,
            choose.choice(world.symbols),
            choose.choice(("bid", "ask")),
            choose.randint(REFERENCE - SPREAD, REFERENCE + SPREAD),
            10 * choose.randint(1, 100),
        )
        queue.enqueue(trade_one, *request, result_ttl=0)
    workers = [_start_worker(world, n) for n in range(WORKERS)]
    try:
        until(lambda: _is_done(world, redis, orders), "every job ran", seconds=30 + orders / 10)
    finally:
        for worker in workers:
            worker.kill()
    return float(world.scalar(RATE))


def _start_worker(world: World, number: int) -> RunProcess:
    command = ("rq.cli", "worker", "--url", world.valkey.url, "--worker-class", "rq.worker.SimpleWorker", "--quiet")
    return world.processes.start_module(f"naive{number}", *command, QUEUE)


def _is_done(world: World, redis: Redis, orders: int) -> bool:
    failed = int(redis.zcard(f"rq:failed:{QUEUE}"))
    if failed:
        raise RuntimeError(f"{failed} naive jobs failed")
    return int(world.scalar("SELECT count(*) FROM commands WHERE sequence IS NOT NULL")) >= orders
