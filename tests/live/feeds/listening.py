"""A listener for tests: what it is told, and whether it is behind."""

from __future__ import annotations

import time
from typing import Any

from live.feeds.feed import Feed
from live.feeds.message import Batch


class Ear:
    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self.beaten_at = time.monotonic()
        self.is_behind = False
        self.heard: list[tuple[str, Any]] = []
        self.flushed = 0

    def put(self, channel: str, batch: Batch) -> None:
        self.heard += [(message.event, message.payload) for message in batch.messages]

    def flush(self) -> None:
        self.flushed += 1

    def take(self) -> list[tuple[str, Any]]:
        heard, self.heard = self.heard, []
        return heard


class BookMirror:
    """A client's book, by the algorithm of the documentation."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.show(snapshot)

    def show(self, snapshot: dict[str, Any]) -> None:
        self.number = snapshot["book_sequence"]
        self.sides = {
            side: {level["price"]: (level["total_quantity"], level["order_count"]) for level in snapshot[side]}
            for side in ("bids", "asks")
        }

    def apply(self, delta: dict[str, Any]) -> None:
        assert delta["first"] == self.number + 1
        assert delta["last"] >= delta["first"]
        for side, sign in (("bids", -1), ("asks", 1)):
            levels = self.sides[side]
            for price, quantity, count in delta[side]:
                if quantity:
                    levels[price] = quantity, count
                else:
                    levels.pop(price, None)
            self.sides[side] = dict(sorted(levels.items(), key=lambda item: sign * item[0])[:50])
        self.number = delta["last"]

    def hear(self, event: str, payload: dict[str, Any]) -> None:
        if event == "BOOK_DELTA":
            self.apply(payload)
        elif event == "BOOK_SNAPSHOT" and payload["depth"] == 50:
            self.show(payload)
