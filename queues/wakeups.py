"""Wake the one worker that owns a stock: a job on the stock's queue that says no more than "look".

At most one wake-up waits for each stock: its flag is set before it is enqueued, and the worker clears the flag before
it reads the inbox, so no command is missed. A lost flag, job or all of Redis costs delay: the clock wakes again.
"""

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from redis import Redis, RedisError
from rq.utils import utcformat

from queues import names
from queues.jobs import ExchangeJob, ExchangeQueue, packed_job
from queues.scripts import TAKE, UNRUNG, WAKE

log = logging.getLogger(__name__)

FLAG_SECONDS = 60
"""How long a flag lives whose wake-up was lost; the sweep does not wait for it."""

MOST_JOBS = 100
"""Jobs taken off one stock's queue at once; more wait only when somebody enqueues by hand."""

QUEUE_PREFIX = ExchangeQueue.redis_queue_namespace_prefix + names.match_queue("")
JOB_PREFIX = ExchangeJob.redis_job_namespace_prefix

SUSPENDED = "rq:suspended"
"""Set by `rq suspend`: workers take nothing until `rq resume`."""


class Ring(NamedTuple):
    """What waking a stock writes, but for the time and the job's id: worked out once for each stock."""

    flag: bytes
    queue: bytes
    bell: bytes
    symbol: bytes
    job: bytes


class Wakeups:
    """The waiting wake-ups, seen from those who ring and from the worker who answers."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._rings: dict[tuple[str, str], Ring] = {}
        self._wake = redis.register_script(WAKE)
        self._take = redis.register_script(TAKE)
        self._unrung = redis.register_script(UNRUNG)

    def wake(self, stocks: Iterable[tuple[str, str]], *, again: bool = False) -> bool:
        """Wake these stocks, given as (symbol, group); with `again` also those whose flag says they are awake.

        One round trip. False when Redis is away: that is logged, and the sweep wakes them when it is back.
        """
        rings = [self._rings.get(stock) or self._ring(stock) for stock in sorted(set(stocks))]
        now = datetime.now(UTC)
        keys: list[bytes | str] = [ExchangeQueue.redis_queues_keys]
        values: list[bytes | str | int | float] = [int(again), FLAG_SECONDS, utcformat(now), now.timestamp()]
        for ring in rings:
            job_id = str(uuid.uuid4())
            keys += (ring.flag, ring.queue, ring.bell, JOB_PREFIX + job_id)
            values += (ring.symbol, job_id, ring.job)
        try:
            self._wake(keys, values)
        except RedisError as error:
            log.warning("Redis is away, %d stocks wait for the sweep: %s", len(rings), error)
            return False
        return True

    def _ring(self, stock: tuple[str, str]) -> Ring:
        symbol, group = stock
        ring = self._rings[stock] = Ring(
            names.wake_flag(symbol).encode(),
            (QUEUE_PREFIX + symbol).encode(),
            names.bell(group).encode(),
            symbol.encode(),
            packed_job(self.redis, symbol),
        )
        return ring

    def take(self, group: str, seconds: float = 0, *, also: Sequence[str] = (), worker: str | None = None) -> list[str]:
        """All of `also`, and the symbols of `group` that have been rung, oldest first, after at most `seconds`.

        Their flags are cleared and their jobs are gone, counted as done by `worker` (RQ's key of it). To be called
        before the inbox is read: whoever commits a command later finds the flag cleared and rings again. Does not
        block when something has been rung already: then it is one round trip. Raises RedisError.
        """
        taken = self._taken(group, also, worker)
        if taken or not seconds:
            return taken
        first: Any = self.redis.bzpopmin(names.bell(group), timeout=seconds)
        return [] if first is None else self._taken(group, [first[1].decode()], worker)

    def _taken(self, group: str, also: Sequence[str], worker: str | None) -> list[str]:
        keys = [names.bell(group)] if worker is None else [names.bell(group), worker]
        taken: Any = self._take(keys, [MOST_JOBS, names.wake_flag(""), QUEUE_PREFIX, JOB_PREFIX, *also])
        return [symbol.decode() for symbol in taken]

    def clear(self, symbol: str) -> None:
        """Clear the flag of one stock, for a worker that got its job from RQ itself. Logs when Redis is away."""
        try:
            self.redis.delete(names.wake_flag(symbol))
        except RedisError as error:
            log.warning("Redis is away, the flag of %s stays: %s", symbol, error)

    def queued(self, symbols: Sequence[str]) -> list[str]:
        """Those of `symbols` whose queue holds a job, rung or not: an operator may enqueue one. Raises RedisError."""
        found: Any = self._unrung([], [QUEUE_PREFIX, *symbols])
        return [symbol.decode() for symbol in found]

    def suspended(self) -> bool:
        """Whether operators have suspended all workers. Raises RedisError."""
        return bool(self.redis.exists(SUSPENDED))
