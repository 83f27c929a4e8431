"""How much a broker may ask for in a second: orders, cancels and reads each have a bucket of their own.

The counting is that of the library `limits`, in Redis, so that all processes count together. While Redis is away each
process counts by itself: a limit never vanishes.
"""

import logging
import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError

import config
from api.problems import TooManyRequests

log = logging.getLogger(__name__)

PREFIX = "minex:limit"
ORDERS, CANCELS, READS = "orders", "cancels", "reads"


@dataclass(frozen=True, slots=True)
class Standing:
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
    """The buckets of every broker. A bucket without a limit costs nothing."""

    def __init__(self, settings: config.Limits, redis: config.Redis) -> None:
        wanted = {
            ORDERS: settings.orders_per_second,
            CANCELS: settings.cancels_per_second,
            READS: settings.reads_per_second,
        }
        self._items: dict[str, RateLimitItem] = {
            bucket: RateLimitItemPerSecond(number, namespace=PREFIX) for bucket, number in wanted.items() if number
        }
        self._alone = FixedWindowRateLimiter(MemoryStorage())
        self._shared = self._alone
        if self._items:
            seconds = redis.timeout_ms / 1000
            storage = storage_from_string(redis.url, socket_timeout=seconds, socket_connect_timeout=seconds)
            self._shared = FixedWindowRateLimiter(storage)

    def charge(self, bucket: str, broker_id: int, cost: int = 1) -> Standing | None:
        """Take `cost` from the broker's bucket; what is left, None without a limit. Raises TooManyRequests."""
        item = self._items.get(bucket)
        if item is None:
            return None
        try:
            return _charge(self._shared, item, bucket, broker_id, cost)
        except RedisError as error:
            log.warning("Redis is away, this process counts %s by itself: %s", bucket, error)
            return _charge(self._alone, item, bucket, broker_id, cost)


def _charge(limiter: FixedWindowRateLimiter, item: RateLimitItem, bucket: str, broker_id: int, cost: int) -> Standing:
    allowed = limiter.hit(item, bucket, str(broker_id), cost=cost)
    window = limiter.get_window_stats(item, bucket, str(broker_id))
    reset = max(0, math.ceil(window.reset_time - time.time()))
    standing = Standing(item.amount, max(0, window.remaining), reset)
    if not allowed:
        raise TooManyRequests(
            f"At most {item.amount} {bucket} a second.",
            extra_headers={**standing.headers(), "Retry-After": str(max(1, reset))},
        )
    return standing
