"""Given a book's snapshot and deltas, then the mirror is the book; what does not follow is noticed."""

from __future__ import annotations

import random
from typing import Any

import pytest

from client import BookMirror, OutOfStep
from client.book import checksum


class Market:
    """A book of its own, which tells as the exchange does."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sides: dict[str, dict[int, tuple[int, int]]] = {"bids": {}, "asks": {}}
        self.number = 0

    def best(self, side: str, depth: int = 50) -> dict[int, tuple[int, int]]:
        return dict(sorted(self.sides[side].items(), reverse=side == "bids")[:depth])

    def snapshot(self) -> dict[str, Any]:
        sides = {
            side: [{"price": price, "total_quantity": n, "order_count": c} for price, (n, c) in self.best(side).items()]
            for side in self.sides
        }
        return {"symbol": "PETR4", "depth": 50, "book_sequence": self.number, **sides}

    def delta(self, steps: int = 1) -> dict[str, Any]:
        before = {side: self.best(side) for side in self.sides}
        for _ in range(steps):
            side = self.random.choice(["bids", "asks"])
            price = self.random.randint(900, 999) if side == "bids" else self.random.randint(1_000, 1_100)
            if self.random.random() < 0.4:
                self.sides[side].pop(price, None)
            else:
                self.sides[side][price] = (self.random.randint(1, 500), self.random.randint(1, 9))
        changes = {}
        for side in self.sides:
            now = self.best(side)
            gone = [[price, 0, 0] for price in before[side] if price not in self.sides[side]]
            changes[side] = gone + [[p, *level] for p, level in now.items() if before[side].get(p) != level]
        self.number += steps
        return {
            "symbol": "PETR4", "first": self.number - steps + 1, "last": self.number, **changes,
            "checksum": checksum(self.best("bids"), self.best("asks")),
        }  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_snapshot_and_deltas_make_the_next_snapshot(seed: int) -> None:
    market, mirror = Market(seed), BookMirror("PETR4")
    mirror.take("BOOK_SNAPSHOT", market.snapshot())
    for number in range(600):
        mirror.take("BOOK_DELTA", market.delta(1 + number % 3))
        if number % 50 == 0:
            fresh = BookMirror("PETR4")
            fresh.take("BOOK_SNAPSHOT", market.snapshot())
            assert (mirror.bids(), mirror.asks()) == (fresh.bids(), fresh.asks())
            mirror.take("HEARTBEAT", {"channels": {"book:PETR4": market.number, "book:VALE3": 9}})
    assert mirror.best_bid == max(market.sides["bids"])
    assert mirror.best_ask == min(market.sides["asks"])
    assert len(mirror.bids(3)) == 3


def known() -> tuple[Market, BookMirror]:
    market, mirror = Market(1), BookMirror("PETR4")
    market.delta(200)
    mirror.take("BOOK_SNAPSHOT", market.snapshot())
    return market, mirror


def test_a_gap_a_repeat_and_another_book_are_noticed() -> None:
    market, mirror = known()
    lost, late = market.delta(), market.delta()
    with pytest.raises(OutOfStep, match="goes from 200 to 202"):
        mirror.take("BOOK_DELTA", late)
    mirror.take("BOOK_DELTA", lost)
    with pytest.raises(OutOfStep):
        mirror.take("BOOK_DELTA", lost)
    with pytest.raises(OutOfStep, match="another book"):
        mirror.take("BOOK_DELTA", {**late, "checksum": 1})
    mirror.take("BOOK_DELTA", late)
    with pytest.raises(OutOfStep, match="is at 205, not 202"):
        mirror.take("HEARTBEAT", {"channels": {"book:PETR4": 205}})
    with pytest.raises(OutOfStep):
        BookMirror("PETR4").take("BOOK_DELTA", late)


def test_what_is_of_something_else_changes_nothing() -> None:
    market, mirror = known()
    before = mirror.bids(), mirror.asks(), mirror.book_sequence
    mirror.take("BOOK_DELTA", {**market.delta(), "symbol": "VALE3"})
    mirror.take("BOOK_SNAPSHOT", {**market.snapshot(), "depth": 5, "bids": [], "asks": []})
    mirror.take("ORDER_FILLED", {"symbol": "PETR4"})
    mirror.take("HEARTBEAT", {"channels": {}})
    assert (mirror.bids(), mirror.asks(), mirror.book_sequence) == before


def test_a_reset_forgets_and_a_resync_replaces() -> None:
    market, mirror = known()
    market.delta(50)
    mirror.take("BOOK_SNAPSHOT", {**market.snapshot(), "resync": True})
    assert mirror.book_sequence == 250
    mirror.take("RESET", {"epoch": "x", "channels": {}})
    assert (mirror.book_sequence, mirror.bids(), mirror.best_ask) == (None, [], None)
