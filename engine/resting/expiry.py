"""Which resting orders run out next."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from heapq import heapify, heappop, heappush
from typing import Final

from engine.terms.orders import Order

SLACK: Final = 64
"""Entries: below this the heap is not worth tidying."""

Entry = tuple[int, int, Order]


class ExpiryQueue:
    """A heap of (`expire_at`, `priority`, order), cleaned lazily.

    An order that is filled, cancelled or amended leaves its entry behind; the entry is recognised as stale when its
    turn comes, because the order is closed or has another expiry or priority. So that a market maker who replaces
    quotes all day does not fill the memory, the heap is rebuilt once most of it is stale.
    """

    __slots__ = ("heap",)

    def __init__(self) -> None:
        self.heap: list[Entry] = []

    def push(self, order: Order, expire_at: int, orders: Mapping[Hashable, Order]) -> None:
        """Remember that `order`, one of the resting `orders`, expires at `expire_at` (microseconds)."""
        heappush(self.heap, (expire_at, order.priority, order))
        if len(self.heap) > 2 * len(orders) + SLACK:
            self.heap = [
                (other.expire_at, other.priority, other) for other in orders.values() if other.expire_at is not None
            ]
            heapify(self.heap)

    def pop_due(self, now: int) -> Order | None:
        """The next order for which `now` has reached its expiry, oldest expiry first; None if there is none."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            entry = heappop(heap)
            if is_current(entry):
                return entry[2]
        return None


def is_current(entry: Entry) -> bool:
    """True if the order still rests as it did when the entry was made."""
    expire_at, priority, order = entry
    return order.level is not None and order.expire_at == expire_at and order.priority == priority
