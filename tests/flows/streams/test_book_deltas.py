"""Snapshot and deltas are the next snapshot, whatever happens to a book: icebergs, auctions, a killed worker."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace
from typing import Any

import pytest
import requests

from settings.sections import Settings
from tests.flows.exchange import Broker, RunningExchange, until
from tests.flows.streams.event_stream import EventStream
from tests.live.feeds.listening import BookMirror

ADMIN_KEY = "mxadmin_of_the_deltas"
SYMBOL = "LONG1"
ROUNDS = 60
AUCTIONS, KILLS = (10, 30, 50), (20, 40)


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return replace(settings, exchange=replace(settings.exchange, admin_key=ADMIN_KEY))


def some_order(choose: random.Random) -> dict[str, Any]:
    quantity = choose.randint(1, 30)
    order = {"document_number": "1", "side": choose.choice(("bid", "ask")), "symbol": SYMBOL, "quantity": quantity}
    kind = choose.random()
    if kind < 0.05:
        return {**order, "order_type": "market"}
    order["price"] = 3_500 + choose.randint(-70, 70)
    return {**order, "display_quantity": choose.randint(1, quantity)} if kind < 0.3 else order


def change(broker: Broker, choose: random.Random) -> None:
    answer = broker.call("POST", "/orders/batch", {"orders": [some_order(choose) for _ in range(20)]})
    assert answer.status_code == 200, answer.text
    for order in choose.sample(answer.json()["results"], 5):
        if order.get("order"):
            broker.call("DELETE", f"/orders/{order['order']['order_id']}")


def into(exchange: RunningExchange, state: str) -> None:
    """Bring the stock into a state, as an operator does."""
    key = {"Authorization": f"Bearer {ADMIN_KEY}"}
    url = f"{exchange.base}/api/v1/stocks/{SYMBOL}/state"
    assert requests.post(url, json={"state": state}, headers=key, timeout=30).status_code == 200


def checksum_of(mirror: BookMirror) -> int:
    best = [
        (price, mirror.sides[side][price][0]) for side in ("asks", "bids") for price in list(mirror.sides[side])[:10]
    ]
    return zlib.crc32("".join(f"{price}:{quantity};" for price, quantity in best).encode())


def levels(book: dict[str, Any], side: str) -> list[tuple[int, int, int]]:
    return [(level["price"], level["total_quantity"], level["order_count"]) for level in book[side]]


def test_snapshot_and_deltas_are_the_next_snapshot(exchange: RunningExchange) -> None:
    exchange.list(SYMBOL)
    choose = random.Random(20)
    brokers = [exchange.trusted() for _ in range(3)]
    with EventStream(exchange.settings.live.port, f"book:{SYMBOL}") as stream:
        stream.wait_for("HEARTBEAT")
        for number in range(ROUNDS):
            if number in AUCTIONS:
                into(exchange, "halted")
                into(exchange, "auction")
            change(choose.choice(brokers), choose)
            if number in KILLS:
                exchange.process("match").kill()
                exchange.start("match")
            if number - 5 in AUCTIONS:
                into(exchange, "open")
        exchange.settle()
        book = brokers[0].get(f"/stocks/{SYMBOL}/book?depth=50")
        until(lambda: stream.of("BOOK_DELTA")[-1]["last"] == book["book_sequence"], "all is told")
        heard = list(stream.heard)
    compared = 0
    (first, snapshot, _), *others = heard
    assert (first, snapshot["depth"], snapshot["book_sequence"]) == ("BOOK_SNAPSHOT", 50, 0)
    mirror = BookMirror(snapshot)
    for event, payload, _ in others:
        if event == "BOOK_DELTA":
            mirror.apply(payload)
            assert payload["checksum"] == checksum_of(mirror)
        elif event == "BOOK_SNAPSHOT" and payload["book_sequence"] == mirror.number:
            compared += 1
            for side in ("bids", "asks"):
                assert levels(payload, side) == [(price, *level) for price, level in mirror.sides[side].items()][:5]
    assert compared > 3
    for side in ("bids", "asks"):
        assert levels(book, side) == [(price, *level) for price, level in mirror.sides[side].items()]
    assert exchange.scalar(
        "SELECT count(*) FROM events WHERE kind = 'STOCK_STATE' AND payload ->> 'symbol' = :s", s=SYMBOL
    )
