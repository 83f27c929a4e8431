"""The group worker: an RQ worker that owns the queues of one group of stocks.

On each turn it takes every waiting wake-up of its group and matches all those stocks in one transaction: a turn costs
about the same with one order or fifty, so taking everything that waits is what scales. To operators it is an ordinary
RQ worker: `rq info` lists it with its queues, `rq suspend` and `rq resume` stop and start it. While Redis is away it
looks into PostgreSQL by itself.
"""

import gc
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from redis import Redis, RedisError
from rq import SimpleWorker, worker_registration
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from database.errors import is_passing
from database.session import transaction
from queues.bus import Bus
from queues.connection import connect as connect_redis
from queues.jobs import ExchangeJob, ExchangeQueue, queue_of
from queues.wakeups import Wakeups
from services.matching.sweep import symbols_of, waiting_stocks
from settings.sections import Settings
from workers.database import connect_worker
from workers.matcher import Matcher

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
"""Longest wait for a wake-up; also how long a shutdown may take."""

LOOK_SECONDS = 1.0
"""How often the group's list of stocks, suspension and queued jobs are looked at."""

HEARTBEAT_SECONDS = 5.0
AWAY_SECONDS = 0.2
"""How often the inbox is looked at while Redis is away."""

GARBAGE_THRESHOLDS = (20_000, 20, 100)
"""When Python looks for garbage in cycles, in objects made. Orders and turns leave none; by default every few orders it
would look through the latest, and again and again through all that rest in the books."""


class GroupWorker(SimpleWorker):
    """Matches one group of stocks until it is told to stop."""

    job_class = ExchangeJob
    queue_class = ExchangeQueue

    def __init__(self, group: str, symbols: Sequence[str], matcher: Matcher, wakeups: Wakeups, redis: Redis) -> None:
        self.group = group
        self.symbols = list(symbols)
        self.matcher = matcher
        self.wakeups = wakeups
        self.pending: list[str] = []
        """Stocks whose wake-up was taken and whose inbox may not be empty yet, oldest first."""
        self._looked_at = 0.0
        self._beaten_at = 0.0
        self._redis_away = False
        name = f"match-{group}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        queues = [queue_of(redis, symbol) for symbol in symbols] or [queue_of(redis, f"none-in-{group}")]
        super().__init__(queues, name=name, connection=redis, serializer=JSONSerializer)

    def work(self, *_: Any, **__: Any) -> bool:
        """Take turns until SIGTERM or SIGINT; whether it was stopped in order."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        self.register_birth()  # type: ignore[no-untyped-call]
        self.subscribe()  # type: ignore[no-untyped-call]
        self.set_state(WorkerStatus.STARTED)
        log.info("matching group %s: %d stocks", self.group, len(self.symbols))
        try:
            while not self._stop_requested:
                self.run_once()
        finally:
            self.teardown()  # type: ignore[no-untyped-call]
        return True

    def run_once(self) -> None:
        """Wait for wake-ups, at most WAIT_SECONDS, and take one turn over every stock that has one."""
        try:
            ready = self._ready()
        except RedisError as error:
            ready = self._without_redis(error)
        self.pending = list(dict.fromkeys([*self.pending, *ready]))
        if not self.pending:
            return
        try:
            if not self.matcher.run_once(self.pending):
                self.pending = []
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("PostgreSQL cannot match just now, trying again: %s", error)
            time.sleep(AWAY_SECONDS)

    def _ready(self) -> list[str]:
        """The stocks to look at; their flags are cleared and their jobs taken. Raises RedisError."""
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._look_around()
            queued = self.wakeups.queued(self.symbols)
        else:
            queued = []
        seconds = 0 if self.pending or queued else WAIT_SECONDS
        ready = self.wakeups.take(self.group, seconds, also=queued, worker=self.key)
        if self._redis_away:
            log.info("Redis is back")
            self._redis_away = False
        return ready

    def _without_redis(self, error: RedisError) -> list[str]:
        """The stocks whose inbox is not empty, straight from PostgreSQL."""
        if not self._redis_away:
            log.warning("Redis is away, looking into PostgreSQL instead: %s", error)
            self._redis_away = True
        time.sleep(AWAY_SECONDS)
        return list(self._ask(waiting_stocks))

    def _look_around(self) -> None:
        """What changes seldom: which stocks the group has, whether workers are suspended, that we are alive."""
        self._looked_at = time.monotonic()
        self._wait_while_suspended()
        symbols = list(self._ask(symbols_of) or self.symbols)
        changed = symbols != self.symbols
        if changed:
            log.info("group %s now has %d stocks", self.group, len(symbols))
            self.symbols = symbols
            self.queues = [queue_of(self.connection, symbol) for symbol in symbols]
        pipeline = self.connection.pipeline(transaction=False)
        if changed or not self.connection.sismember(worker_registration.REDIS_WORKER_KEYS, self.key):
            # RQ shows a worker with its queues only while it is registered, and a flushed Redis knows nobody.
            pipeline.hset(self.key, mapping=self.serialize())
            worker_registration.register(self, pipeline)
        if changed or self._looked_at - self._beaten_at >= HEARTBEAT_SECONDS:
            self._beaten_at = self._looked_at
            self.heartbeat(pipeline=pipeline)
        pipeline.execute()

    def _wait_while_suspended(self) -> None:
        suspended = False
        while not self._stop_requested and self.wakeups.suspended():
            if not suspended:
                log.info("suspended; `rq resume` goes on")
                self.set_state(WorkerStatus.SUSPENDED)
                suspended = True
            time.sleep(WAIT_SECONDS)
        if suspended:
            self.set_state(WorkerStatus.STARTED)

    def _ask(self, question: Callable[[Session, str], Sequence[str]]) -> Sequence[str]:
        """What PostgreSQL answers about the group; nothing while it is away."""
        try:
            with transaction(self.matcher.engine) as session:
                return question(session, self.group)
        except DBAPIError as error:
            if not is_passing(error):
                raise
            log.warning("PostgreSQL is away: %s", error)
            return []

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Finish the turn, then stop; a second signal changes nothing, for a turn takes milliseconds."""
        self._stop_requested = True


def main(settings: Settings, group: str) -> None:
    """Run the worker of `group` until SIGTERM; waits for PostgreSQL and Redis to be there first."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    engine = connect_worker(settings)
    redis = connect_redis(settings.redis, patience_ms=settings.redis.timeout_ms + int(WAIT_SECONDS * 1000))
    matcher = Matcher(engine, Bus(connect_redis(settings.redis)), settings.match.turn_limit)
    symbols = _at_start(engine, redis, group)
    GroupWorker(group, symbols, matcher, Wakeups(redis), redis).work()


def _at_start(engine: Engine, redis: Redis, group: str) -> Sequence[str]:
    while True:
        try:
            redis.ping()
            with transaction(engine) as session:
                return symbols_of(session, group)
        except (RedisError, DBAPIError) as error:
            log.warning("waiting for PostgreSQL and Redis: %s", error)
            time.sleep(1)
