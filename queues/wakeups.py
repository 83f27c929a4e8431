"""Wake the one worker that owns a stock: a job on the stock's queue that says no more than "look".

At most one wake-up waits for each stock: its flag is set before it is enqueued, and the worker clears the flag before
it reads the inbox, so no command is missed. A lost flag, job or all of Redis costs delay: the clock wakes again.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from redis import Redis, RedisError

from queues import names
from queues.jobs import match_job, queue_of

log = logging.getLogger(__name__)

FLAG_SECONDS = 60
"""How long a flag lives whose wake-up was lost; the sweep does not wait for it."""

MOST_JOBS = 100
"""Jobs taken off one stock's queue at once; more wait only when somebody enqueues by hand."""

MOST_STOCKS = 1_000_000
"""Stocks taken off a bell at once: all of them."""

SUSPENDED = "rq:suspended"
"""Set by `rq suspend`: workers take nothing until `rq resume`."""


class Wakeups:
    """The waiting wake-ups, seen from those who ring and from the worker who answers."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    def wake(self, stocks: Iterable[tuple[str, str]], *, again: bool = False) -> bool:
        """Wake these stocks, given as (symbol, group); with `again` also those whose flag says they are awake.

        False when Redis is away: that is logged, and the sweep wakes them when it is back.
        """
        wanted = sorted(set(stocks))
        try:
            pipeline = self.redis.pipeline(transaction=False)
            for symbol, _ in wanted:
                pipeline.set(names.wake_flag(symbol), 1, nx=not again, ex=FLAG_SECONDS)
            asleep = [stock for stock, was_set in zip(wanted, pipeline.execute(), strict=True) if was_set]
            if asleep:
                self._ring(asleep)
        except RedisError as error:
            log.warning("Redis is away, %d stocks wait for the sweep: %s", len(wanted), error)
            return False
        return True

    def _ring(self, stocks: Sequence[tuple[str, str]]) -> None:
        pipeline = self.redis.pipeline(transaction=False)
        now = time.time()
        for symbol, group in stocks:
            queue_of(self.redis, symbol).enqueue_many([match_job(symbol)], pipeline=pipeline)
            pipeline.zadd(names.bell(group), {symbol: now}, nx=True)
        pipeline.execute()

    def wait(self, group: str, seconds: float) -> list[str]:
        """The symbols of `group` that have been rung, oldest first, after at most `seconds`. Raises RedisError."""
        rung: list[str] = []
        if seconds:
            first: Any = self.redis.bzpopmin(names.bell(group), timeout=seconds)
            if first is None:
                return []
            rung.append(first[1].decode())
        rest: Any = self.redis.zpopmin(names.bell(group), MOST_STOCKS)
        return [*rung, *(symbol.decode() for symbol, _ in rest)]

    def clear(self, symbol: str) -> None:
        """Clear the flag of one stock, for a worker that got its job from RQ itself. Logs when Redis is away."""
        try:
            self.redis.delete(names.wake_flag(symbol))
        except RedisError as error:
            log.warning("Redis is away, the flag of %s stays: %s", symbol, error)

    def queued(self, symbols: Sequence[str]) -> list[str]:
        """Those of `symbols` whose queue holds a job, rung or not: an operator may enqueue one. Raises RedisError."""
        pipeline = self.redis.pipeline(transaction=False)
        for symbol in symbols:
            pipeline.llen(queue_of(self.redis, symbol).key)
        return [symbol for symbol, length in zip(symbols, pipeline.execute(), strict=True) if length]

    def take(self, symbols: Sequence[str]) -> list[bytes]:
        """Clear the flags of `symbols` and take their jobs off the queues; the jobs' ids. Raises RedisError.

        To be called before the inbox is read: whoever commits a command later finds the flag cleared and rings again.
        """
        pipeline = self.redis.pipeline(transaction=False)
        for symbol in symbols:
            pipeline.lpop(queue_of(self.redis, symbol).key, MOST_JOBS)
            pipeline.delete(names.wake_flag(symbol))
        return [job_id for answer in pipeline.execute()[::2] for job_id in answer or ()]

    def suspended(self) -> bool:
        """Whether operators have suspended all workers. Raises RedisError."""
        return bool(self.redis.exists(SUSPENDED))
