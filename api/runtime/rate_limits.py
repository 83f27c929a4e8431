"""How much a broker may ask for in a second: orders, cancels and reads each have a bucket of their own.

The counting is that of the library `limits`, in Redis, so that all processes count together. While Redis is away each
process counts by itself: a limit never vanishes.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError

from api.http.problems import TooManyRequests
from queues.connection import connect
from settings import sections

log = logging.getLogger(__name__)

PREFIX = "minex:limit"
ORDERS, CANCELS, READS = "orders", "cancels", "reads"
FAILURES = "unknown keys"

ALONE_SECONDS = 1.0
"""How long a process counts by itself before it asks Redis again: a hanging Redis must not delay every request."""

Counted = TypeVar("Counted")


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a bucket, as the answer's headers tell: requests, and seconds until it is full again."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The RateLimit fields of an answer."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class RateLimits:
    """The buckets of every broker, and of every address that fails. A bucket without a limit costs nothing."""

    def __init__(self, settings: sections.Limits, redis: sections.Redis) -> None:
        wanted = {
            ORDERS: settings.orders_per_second,
            CANCELS: settings.cancels_per_second,
            READS: settings.reads_per_second,
        }
        self._items: dict[str, RateLimitItem] = {
            bucket: RateLimitItemPerSecond(number, namespace=PREFIX) for bucket, number in wanted.items() if number
        }
        if settings.failures_per_minute:
            self._items[FAILURES] = RateLimitItemPerMinute(settings.failures_per_minute, namespace=PREFIX)
        self._alone = FixedWindowRateLimiter(MemoryStorage())
        self._alone_until = float("-inf")
        self._shared = self._alone
        if self._items:
            pool = connect(redis).connection_pool
            self._shared = FixedWindowRateLimiter(RedisStorage(redis.url, connection_pool=pool))

    def charge(self, bucket: str, broker_id: int, cost: int = 1) -> Quota | None:
        """Take `cost` from the broker's bucket; what is left, None without a limit. Raises TooManyRequests."""
        item = self._items.get(bucket)
        if item is None:
            return None
        return self._count(lambda limiter: _charge(limiter, item, bucket, str(broker_id), cost))

    def refuse_guesser(self, address: str) -> None:
        """Raises TooManyRequests for an address that has sent too many unknown keys in this minute."""
        item = self._items.get(FAILURES)
        if item is None or self._count(lambda limiter: limiter.test(item, FAILURES, address)):
            return
        raise _refusal(item, FAILURES, self._count(lambda limiter: _quota(limiter, item, FAILURES, address)))

    def note_failure(self, address: str) -> None:
        """An unknown key came from this address."""
        item = self._items.get(FAILURES)
        if item is not None:
            self._count(lambda limiter: limiter.hit(item, FAILURES, address))

    def _count(self, work: Callable[[FixedWindowRateLimiter], Counted]) -> Counted:
        """Do the work with the counters that all processes share, or with our own while Redis is away."""
        if time.monotonic() >= self._alone_until:
            try:
                return work(self._shared)
            except RedisError as error:
                self._alone_until = time.monotonic() + ALONE_SECONDS
                log.warning("Redis is away, this process counts requests by itself: %s", error)
        return work(self._alone)


def _charge(limiter: FixedWindowRateLimiter, item: RateLimitItem, bucket: str, whose: str, cost: int) -> Quota:
    if cost > item.amount:
        raise TooManyRequests(f"At most {item.amount} {bucket} a second, and these are {cost} at once.")
    allowed = limiter.hit(item, bucket, whose, cost=cost)
    quota = _quota(limiter, item, bucket, whose)
    if not allowed:
        raise _refusal(item, bucket, quota)
    return quota


def _quota(limiter: FixedWindowRateLimiter, item: RateLimitItem, bucket: str, whose: str) -> Quota:
    window = limiter.get_window_stats(item, bucket, whose)
    reset = max(0, math.ceil(window.reset_time - time.time()))
    return Quota(item.amount, max(0, window.remaining), reset)


def _refusal(item: RateLimitItem, bucket: str, quota: Quota) -> TooManyRequests:
    period = "second" if item.get_expiry() == 1 else "minute"
    headers = {**quota.headers(), "Retry-After": str(max(1, quota.reset))}
    return TooManyRequests(f"At most {item.amount} {bucket} a {period}.", extra_headers=headers)
