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
from queues.direct import DirectScript, Part, direct, packed
from queues.jobs import ExchangeJob, ExchangeQueue, match_job, packed_job
from queues.scripts import QUEUED, TAKE, WAKE

log = logging.getLogger(__name__)

FLAG_SECONDS = 60
"""How long a flag lives whose wake-up was lost; the sweep does not wait for it."""

MOST_JOBS = 100
"""Jobs taken off one stock's queue at once; more wait only when somebody enqueues by hand."""

QUEUE_PREFIX = ExchangeQueue.redis_queue_namespace_prefix + names.match_queue("")
JOB_PREFIX = ExchangeJob.redis_job_namespace_prefix

SUSPENDED = "rq:suspended"
"""Set by `rq suspend`: workers take nothing until `rq resume`."""


class StockKeys(NamedTuple):
    """What waking a stock writes, but for the time and the job's id: worked out once for each stock."""

    flag: bytes
    queue: bytes
    ready_set: bytes
    symbol: bytes
    job: bytes


class Wakeups:
    """The waiting wake-ups, seen from those who send and from the worker who takes them."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._keys: dict[tuple[str, str], StockKeys] = {}
        self._direct = direct(redis)
        self._wake = DirectScript(self._direct, WAKE)
        self._take = DirectScript(self._direct, TAKE)
        self._queued = DirectScript(self._direct, QUEUED)

    def wake(self, stocks: Iterable[tuple[str, str]], *, again: bool = False) -> bool:
        """Wake these stocks, given as (symbol, group); with `again` also those whose flag says they are awake.

        One round trip. False when Redis is away: that is logged, and the sweep wakes them when it is back.
        """
        stocks_keys = [self._keys.get(stock) or self._keys_of(stock) for stock in sorted(set(stocks))]
        now = datetime.now(UTC)
        keys: list[Part] = [ExchangeQueue.redis_queues_keys]
        values: list[Part] = [int(again), FLAG_SECONDS, utcformat(now), now.timestamp()]
        for stock in stocks_keys:
            job_id = str(uuid.uuid4())
            keys += (stock.flag, stock.queue, stock.ready_set, JOB_PREFIX + job_id)
            values += (stock.symbol, job_id, stock.job)
        try:
            self._wake(keys, values)
        except RedisError as error:
            log.warning("Redis is away, %d stocks wait for the sweep: %s", len(stocks_keys), error)
            return False
        return True

    def _keys_of(self, stock: tuple[str, str]) -> StockKeys:
        symbol, group = stock
        keys = self._keys[stock] = StockKeys(
            names.wake_flag(symbol).encode(),
            (QUEUE_PREFIX + symbol).encode(),
            names.ready_set(group).encode(),
            symbol.encode(),
            packed_job(self.redis, match_job(symbol), names.match_queue(symbol)),
        )
        return keys

    def take(self, group: str, *, also: Sequence[str] = (), worker: str | None = None) -> list[str]:
        """All of `also`, and the symbols of `group` that are ready, oldest first.

        Their flags are cleared and their jobs are gone, counted as done by `worker` (RQ's key of it). To be called
        before the inbox is read: whoever commits a command later finds the flag cleared and wakes again. Raises
        RedisError.
        """
        return self._taken(group, also, worker)

    def wait(self, group: str, seconds: float, *, worker: str | None = None) -> list[str]:
        """Those that are ready, taken as by `take`, as soon as there is one, after at most `seconds`."""
        (first,) = self._direct.ask(packed("BZPOPMIN", names.ready_set(group), seconds))
        return [] if first is None else self._taken(group, _symbols([first[1]]), worker)

    def _taken(self, group: str, also: Sequence[str], worker: str | None) -> list[str]:
        keys: list[Part] = [names.ready_set(group)] if worker is None else [names.ready_set(group), worker]
        taken: Any = self._take(keys, [MOST_JOBS, names.wake_flag(""), QUEUE_PREFIX, JOB_PREFIX, *also])
        return _symbols(taken)

    def clear(self, symbol: str) -> None:
        """Clear the flag of one stock, for a worker that got its job from RQ itself. Logs when Redis is away."""
        try:
            self.redis.delete(names.wake_flag(symbol))
        except RedisError as error:
            log.warning("Redis is away, the flag of %s stays: %s", symbol, error)

    def queued(self, symbols: Sequence[str]) -> list[str]:
        """The symbols whose queue holds a job, ready or not: an operator may enqueue one. Raises RedisError."""
        found: Any = self._queued([], [QUEUE_PREFIX, *symbols])
        return _symbols(found)

    def suspended(self) -> bool:
        """True if operators have suspended all workers, as RQ writes it and nothing else does. Raises RedisError."""
        return bool(self.redis.type(SUSPENDED) == b"string")


def _symbols(members: Iterable[bytes]) -> list[str]:
    """The members that may be symbols, as texts; others, such as bytes that are no text, are nobody's stock."""
    texts = (member.decode("ascii", "replace") for member in members)
    return [text for text in texts if text.isascii() and text.isprintable()]
