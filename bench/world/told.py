"""What a receiver was told, held against what docs/webhooks.md promises: no more, and no less.

The receiver knows what came, in which order, and how it was answered. What never reached it, because nobody listened,
is known from the attempts that the exchange keeps with each delivery, the latest fifty.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from operator import attrgetter
from typing import Any, Final

from bench.world.world import World

SET_ASIDE_AFTER: Final = 3
"""Failures, as promised; not the senders' own number, which is what is looked at."""

DELIVERIES: Final = "SELECT sequence, attempts FROM webhook_deliveries WHERE broker_id = :broker_id ORDER BY id"

SAID_BY_BOTH: Final = (
    *("trade_id", "order_id", "client_order_id", "symbol", "side", "price", "quantity", "liquidity", "fee"),
    "executed_at",
)
"""Fields that a message and a fill of `GET /trades` have in common, besides account_sequence."""


@dataclass(frozen=True, slots=True)
class Told:
    """One request as it came and was answered; times in seconds since 1970."""

    at: float
    answered_at: float
    message_id: str
    number: int
    """Its place in the order."""
    body: bytes
    message: dict[str, Any]
    is_alone: bool
    """Whether it came with `minex-set-aside`."""
    status: int

    @property
    def is_taken(self) -> bool:
        """Whether the receiver said that it has it."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of the message with this number, as it is kept; `outcome`: the answer's status, or why there was none."""

    number: int
    at: float
    outcome: int | str

    @property
    def has_failed(self) -> bool:
        """Whether the exchange has no good answer to it."""
        return isinstance(self.outcome, str) or not 200 <= self.outcome < 300


def attempts_of(world: World, broker_id: int) -> list[Attempt]:
    """Every attempt that is kept of what the broker was to be told."""
    return [
        Attempt(row.sequence, datetime.fromisoformat(each["at"]).timestamp(), each["status_code"] or each["error"])
        for row in world.rows(DELIVERIES, broker_id=broker_id)
        for each in row.attempts
    ]


def missing(told: Iterable[Told], fills: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which of the broker's fills never arrived as they are; and what arrived that is none, or has a wrong number."""
    taken = {request.message["account_sequence"]: request.message for request in told if request.is_taken}
    numbers = sorted(message["sequence"] for message in taken.values())
    found = []
    for fill in fills:
        message = taken.pop(fill["account_sequence"], None)
        name = f"trade {fill['trade_id']} of order {fill['order_id']}"
        if message is None:
            found.append(f"{name} never arrived")
        elif others := [field for field in SAID_BY_BOTH if message[field] != fill[field]]:
            found.append(f"{name} arrived with another {', '.join(others)}")
    found += [f"an execution that is none arrived: {message}" for message in taken.values()]
    if not found and numbers != [*range(1, len(fills) + 1)]:
        found.append(f"the numbers are not 1 to {len(fills):,}")
    return found


def changed(told: Iterable[Told]) -> list[str]:
    """Messages that did not say the same each time."""
    bodies: dict[str, bytes] = {}
    return [
        f"message {request.message_id} changed"
        for request in told
        if bodies.setdefault(request.message_id, request.body) != request.body
    ]


def twice(told: Sequence[Told]) -> int:
    """How many good answers there were to what had been taken before."""
    taken = [request.message_id for request in told if request.is_taken]
    return len(taken) - len({*taken})


def too_soon(attempts: Iterable[Attempt], seconds: float) -> list[str]:
    """What failed and was tried again sooner than so many seconds later, though nothing had been taken meanwhile."""
    found: list[str] = []
    failed: dict[int, float] = {}
    for attempt in sorted(attempts, key=attrgetter("at")):
        waited = attempt.at - failed.get(attempt.number, -inf)
        if waited < seconds:
            found.append(f"{attempt.number} was tried again after {waited:.3f} s")
        if attempt.has_failed:
            failed[attempt.number] = attempt.at
        else:
            failed.clear()
    return found


def out_of_order(told: Iterable[Told], attempts: Iterable[Attempt]) -> list[str]:
    """What came otherwise than promised.

    Each when the one before was answered, in the order of their numbers. What has failed three times, and that alone,
    is passed over and comes with the header from then on; while nothing is taken that happens to one only, the next is
    tried again and again. What was taken may come again at any time.
    """
    order = _Order(attempts)
    for request in sorted(told, key=attrgetter("at")):
        order.take(request)
    return order.broken


class _Order:
    """The requests so far: what was taken, what has been passed over, and whose turn it is."""

    def __init__(self, attempts: Iterable[Attempt]) -> None:
        self.broken: list[str] = []
        self._failures: dict[int, list[float]] = {}
        for attempt in sorted(attempts, key=attrgetter("at")):
            if attempt.has_failed:
                self._failures.setdefault(attempt.number, []).append(attempt.at)
        self._taken: dict[int, float] = {}
        """When each was taken first."""
        self._passed: set[int] = set()
        self._turn = 1
        self._may_be_passed = 1
        """One, and one more for each that was taken alone since one was taken in its order."""
        self._answered_at = 0.0

    def take(self, request: Told) -> None:
        """Look at the next request."""
        number = request.number
        if request.at < self._answered_at:
            self.broken.append(f"{number} came while the one before it was being answered")
        self._answered_at = request.answered_at
        if request.is_alone:
            self._came_alone(request)
        elif number not in self._taken:
            self._came_in_order(request)
        if request.is_taken:
            self._taken.setdefault(number, request.at)
            self._may_be_passed = self._may_be_passed + 1 if request.is_alone else 1
        while self._turn in self._taken or self._turn in self._passed:
            self._turn += 1

    def _came_alone(self, request: Told) -> None:
        if (failed := self._failed_before(request)) < SET_ASIDE_AFTER:
            self.broken.append(f"{request.number} was set aside after {failed} failures")
        self._passed.add(request.number)

    def _came_in_order(self, request: Told) -> None:
        number = request.number
        if number in self._passed:
            self.broken.append(f"{number} came without the header when others had passed it")
        passed = [each for each in range(self._turn, number) if each not in self._taken and each not in self._passed]
        for each in passed:
            if (failed := self._failed(each, request.at)) < SET_ASIDE_AFTER:
                self.broken.append(f"{number} came before {each}, which had failed {failed} times")
        if len(passed) > self._may_be_passed:
            self.broken.append(f"{passed[-1]} was passed over, too, before {number}, while nothing was taken")
        self._passed.update(passed)
        self._may_be_passed = max(0, self._may_be_passed - len(passed))
        failed = self._failed_before(request)
        if failed >= SET_ASIDE_AFTER and not self._was_passed_before(self._failures[number][failed - 1]):
            self.broken.append(f"{number} came in its order again after {failed} failures")

    def _was_passed_before(self, moment: float) -> bool:
        """Whether another had been passed over and not been taken by then: what fails next is not passed over, too."""
        return any(self._taken.get(each, inf) > moment for each in self._passed)

    def _failed_before(self, request: Told) -> int:
        """How often its message had failed before it: an attempt begins before its request comes."""
        return self._failed(request.number, request.at) - (not request.is_taken)

    def _failed(self, number: int, before: float) -> int:
        """How often the message had failed by then."""
        return bisect_left(self._failures.get(number, []), before)
