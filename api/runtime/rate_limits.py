"""How much a broker may ask for in a second: orders, cancels and reads each have a bucket of their own.

The second is any second, not one that begins when the last is over: a moving window, so that nobody gets twice the
limit around a boundary.
"""

import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.strategies import MovingWindowRateLimiter

from api.http.problems import BatchTooLarge, TooManyRequests
from queues import names, unknown_keys
from queues.counters import Counters
from queues.unknown_keys import UnknownKeys
from settings import sections

ORDERS, CANCELS, READS = "orders", "cancels", "reads"


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a bucket, as the answer's headers tell: requests, and seconds until the oldest counts no more."""

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

    def __init__(self, settings: sections.Limits, counters: Counters) -> None:
        wanted = {
            ORDERS: settings.orders_per_second,
            CANCELS: settings.cancels_per_second,
            READS: settings.reads_per_second,
        }
        self._items: dict[str, RateLimitItem] = {
            bucket: RateLimitItemPerSecond(number, namespace=names.COUNTERS)
            for bucket, number in wanted.items()
            if number
        }
        self._counters = counters
        self._unknown_keys = UnknownKeys(settings, self._counters)

    def charge(self, bucket: str, broker_id: int, cost: int = 1) -> Quota | None:
        """Take `cost` from the broker's bucket; what is left, None without a limit.

        Raises TooManyRequests, which waiting cures, and BatchTooLarge for more than the whole bucket, where it cannot.
        """
        item = self._items.get(bucket)
        if item is None:
            return None
        return self._counters.count(lambda limiter: _charge(limiter, item, bucket, str(broker_id), cost))

    def refuse_guesser(self, address: str) -> None:
        """Raises TooManyRequests for an address that has sent too many unknown keys in this minute."""
        seconds = self._unknown_keys.seconds_to_wait(address)
        if seconds:
            raise _refusal(unknown_keys.NAME, "minute", Quota(self._unknown_keys.limit, 0, seconds))

    def note_failure(self, address: str) -> None:
        """An unknown key came from this address."""
        self._unknown_keys.note(address)


def _charge(limiter: MovingWindowRateLimiter, item: RateLimitItem, bucket: str, whose: str, cost: int) -> Quota:
    if cost > item.amount:
        detail = f"You may send at most {item.amount} {bucket} a second, and these are {cost} at once."
        raise BatchTooLarge(detail, limit=item.amount)
    allowed = limiter.hit(item, bucket, whose, cost=cost)
    quota = _quota(limiter, item, bucket, whose)
    if not allowed:
        raise _refusal(bucket, "second", quota)
    return quota


def _quota(limiter: MovingWindowRateLimiter, item: RateLimitItem, bucket: str, whose: str) -> Quota:
    window = limiter.get_window_stats(item, bucket, whose)
    reset = max(0, math.ceil(window.reset_time - time.time()))
    return Quota(item.amount, max(0, window.remaining), reset)


def _refusal(what: str, period: str, quota: Quota) -> TooManyRequests:
    headers = {**quota.headers(), "Retry-After": str(max(1, quota.reset))}
    return TooManyRequests(f"At most {quota.limit} {what} a {period}.", extra_headers=headers)
