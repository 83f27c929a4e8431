"""How much a broker may ask for: orders, cancels and reads each have a bucket of their own.

A bucket holds what may be asked for in a second, and is filled evenly: so many at once, and then so many a second. For
brokers that strangers have made by signing up there are limits of their own, if these are lower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from api.http.problems import BatchTooLarge, TooManyRequests
from queues.limits import unknown_keys
from queues.limits.counters import Counters
from queues.limits.token_buckets import TokenBuckets
from queues.limits.unknown_keys import UnknownKeys
from settings import sections, servers

ORDERS, CANCELS, READS = "orders", "cancels", "reads"


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a bucket, as the answer's headers tell: requests, and seconds until it is full."""

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

    def __init__(self, settings: sections.Limits, redis: servers.Redis, counters: Counters) -> None:
        self._rates = {
            ORDERS: settings.orders_per_second,
            CANCELS: settings.cancels_per_second,
            READS: settings.reads_per_second,
        }
        signed_up = {
            ORDERS: settings.signup_orders_per_second,
            CANCELS: settings.signup_cancels_per_second,
            READS: settings.signup_reads_per_second,
        }
        self._rate_of_addresses = settings.anonymous_reads_per_second or settings.reads_per_second
        self._rates_of_guests = {bucket: _lower(rate, signed_up[bucket]) for bucket, rate in self._rates.items()}
        self._buckets = TokenBuckets(redis, counters)
        self._unknown_keys = UnknownKeys(settings, counters)

    def charge(self, bucket: str, broker_id: int, cost: int = 1, *, is_guest: bool = False) -> Quota | None:
        """Take `cost` from the broker's bucket; what is left, None without a limit. `is_guest`: it has signed up.

        Raises TooManyRequests, which waiting cures, and BatchTooLarge for more than the whole bucket, where it cannot.
        """
        rate = (self._rates_of_guests if is_guest else self._rates)[bucket]
        if cost > rate > 0:
            detail = f"You may send at most {rate} {bucket} a second, and these are {cost} at once."
            raise BatchTooLarge(detail, limit=rate)
        return self._take(bucket, str(broker_id), rate, cost)

    def charge_address(self, address: str) -> Quota | None:
        """Take one read from the bucket of an address that gives no key. Raises TooManyRequests."""
        return self._take(READS, f"address/{address}", self._rate_of_addresses, 1)

    def _take(self, bucket: str, whose: str, rate: int, cost: int) -> Quota | None:
        if not rate:
            return None
        taken = self._buckets.take(bucket, whose, rate, cost)
        quota = Quota(rate, taken.remaining, taken.reset)
        if taken.wait:
            raise _refusal(bucket, "second", quota, taken.wait)
        return quota

    def refuse_guesser(self, address: str) -> None:
        """Raises TooManyRequests for an address that has sent too many unknown keys in this minute."""
        seconds = self._unknown_keys.seconds_to_wait(address)
        if seconds:
            raise _refusal(unknown_keys.NAME, "minute", Quota(self._unknown_keys.limit, 0, seconds), seconds)

    def note_failure(self, address: str) -> None:
        """An unknown key came from this address."""
        self._unknown_keys.note(address)


def _lower(rate: int, other: int) -> int:
    """The lower of two rates, of which 0 is none."""
    return min(rate, other) if rate and other else rate or other


def _refusal(what: str, period: str, quota: Quota, wait: float) -> TooManyRequests:
    headers = {**quota.headers(), "Retry-After": str(max(1, math.ceil(wait)))}
    return TooManyRequests(f"At most {quota.limit} {what} a {period}.", extra_headers=headers)
