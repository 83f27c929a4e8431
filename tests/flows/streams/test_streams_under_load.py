"""Streams where much happens, and where a client is slow, or a trade is busted, or Redis forgets."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from bench.loads.web_socket import Subscriber
from settings.sections import Settings
from tests.flows.exchange import Broker, RunningExchange, until
from tests.flows.streams.event_stream import EventStream
from tests.flows.streams.test_streams import BUST
from tests.live.feeds.listening import BookMirror


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return replace(settings, live=replace(settings.live, streams_of_address=200))


@pytest.fixture
def busy(exchange: RunningExchange) -> Iterator[Callable[[str], Broker]]:
    """Lets a stock's book change all the time; the broker that changes it."""
    stopped = threading.Event()
    threads = []

    def begin(symbol: str) -> Broker:
        exchange.list(symbol)
        broker = exchange.trusted()

        def change() -> None:
            number = 0
            while not stopped.is_set():
                number += 1
                batch = [
                    {"document_number": "1", "side": side, "symbol": symbol, "quantity": 1 + number % 9, "price": price}
                    for price in range(3_400, 3_500, 4)
                    for side in ("bid",)
                ]
                batch += [{**each, "side": "ask", "price": each["price"] + 101} for each in batch]
                broker.call("POST", "/orders/batch", {"orders": batch})
                if number % 5 == 0:
                    broker.call("DELETE", "/orders")

        threads.append(threading.Thread(target=change))
        threads[-1].start()
        return broker

    yield begin
    stopped.set()
    for thread in threads:
        thread.join()


def test_a_subscription_begins_exactly_behind_its_acknowledgement(
    exchange: RunningExchange, busy: Callable[[str], Broker]
) -> None:
    busy("BUSY1")
    for _ in range(40):
        with exchange.socket() as listener:
            answer = listener.subscribe("book:BUSY1", "stock:BUSY1")["channels"]
            deltas = listener.wait_for("BOOK_DELTA", 2)
        assert deltas[0]["first"] == answer["book:BUSY1"]["book_sequence"] + 1
        assert deltas[1]["first"] == deltas[0]["last"] + 1
        mirror = BookMirror(answer["book:BUSY1"])
        for delta in listener.of("BOOK_DELTA"):
            mirror.apply(delta)
        assert all(
            book["book_sequence"] >= answer["book:BUSY1"]["book_sequence"] for book in listener.of("BOOK_SNAPSHOT")
        )


def test_a_repeated_subscription_costs_nothing(exchange: RunningExchange, busy: Callable[[str], Broker]) -> None:
    busy("BUSY2")
    with exchange.socket() as listener:
        for _ in range(20):
            answer = listener.subscribe(*["book:BUSY2"] * 50)["channels"]
            assert list(answer) == ["book:BUSY2"]
        listener.wait_for("BOOK_DELTA", 20)
        numbers = [(delta["first"], delta["last"]) for delta in listener.of("BOOK_DELTA")]
    assert all(first == last + 1 for (_, last), (first, _) in itertools.pairwise(numbers))


def test_who_reads_too_slowly_ends_with_the_book_all_the_same(
    exchange: RunningExchange, busy: Callable[[str], Broker]
) -> None:
    broker = busy("BUSY3")
    slow = SlowReader(exchange.settings.live.port, "book:BUSY3")
    time.sleep(4)

    def has_it() -> bool:
        slow.read_some(0.2)
        book = broker.get("/stocks/BUSY3/book?depth=50")
        return slow.mirror.number + 5 > book["book_sequence"]

    until(has_it, "it has caught up")
    slow.close()


class SlowReader:
    """Reads nothing unless it is told to; what it reads goes into a mirror, which refuses gaps."""

    def __init__(self, port: int, channel: str) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.mirror: Any = None
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET /api/v1/stream?channels={channel} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self._rest = b""

    def read_some(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                self._rest += self.socket.recv(65_536)
            *blocks, self._rest = self._rest.split(b"\n\n")
            for block in blocks:
                self._take(dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line))

    def _take(self, fields: dict[str, str]) -> None:
        if "data" not in fields:
            return
        event, payload = fields["event"], json.loads(fields["data"])
        self.heard.append((event, payload))
        if event == "BOOK_SNAPSHOT" and payload["depth"] == 50:
            self.mirror = BookMirror(payload)
        elif event == "BOOK_DELTA":
            self.mirror.apply(payload)

    def close(self) -> None:
        self.socket.close()


def test_clients_who_never_read_keep_nobody_waiting(exchange: RunningExchange, busy: Callable[[str], Broker]) -> None:
    busy("BUSY4")
    deaf = [Subscriber(exchange.settings.live.port, "BUSY4", 1) for _ in range(10)]
    deaf_streams = [SlowReader(exchange.settings.live.port, "book:BUSY4,stock:BUSY4") for _ in range(10)]
    with EventStream(exchange.settings.live.port, "book:BUSY4,stock:BUSY4") as reader:
        reader.wait_for("BOOK_DELTA", 60)
        last = 0
        for delta in reader.of("BOOK_DELTA"):
            assert last in (0, delta["first"] - 1)
            last = delta["last"]
    for each in deaf:
        each.socket.close()
    for slow in deaf_streams:
        slow.close()


def test_a_bust_ends_no_subscription(exchange: RunningExchange) -> None:
    exchange.list("BUST1")
    seller, buyer = exchange.trusted(), exchange.trusted()
    channels = ["stock:BUST1", "prices", *(f"candles:BUST1:{name}" for name in ("1s", "1m", "1h", "1d"))]
    with EventStream(exchange.settings.live.port, ",".join(channels)) as stream:
        for price in (3_600, 3_500):
            seller.order("ask", 10, price, "BUST1")
            buyer.order("bid", 10, price, "BUST1", wait=10)
        until(lambda: candle(stream, "1d") == (2, 3_600), "both are in the candle")
        until(lambda: candle(stream, "1s") is not None, "also in those of a second")
        told = len(stream.heard)
        with exchange.engine.begin() as connection:
            connection.execute(BUST, {"symbol": "BUST1"})
        (busted,) = stream.wait_for("TRADE_BUSTED")
        assert busted["sequence"] == 3
        until(lambda: candle(stream, "1d") == (1, 3_500), "the candle is corrected")
        until(lambda: candle(stream, "1h") == (1, 3_500), "each is")
        seller.order("ask", 5, 3_510, "BUST1")
        buyer.order("bid", 5, 3_510, "BUST1", wait=10)
        until(lambda: candle(stream, "1d") == (2, 3_510), "all goes on")
        assert [payload["sequence"] for payload in stream.wait_for("TRADE_EXECUTED", 3)] == [1, 2, 4]
        corrected = [
            payload for event, payload, _ in stream.heard[told:]
            if event == "CANDLE" and payload["interval"] == "1d" and payload["sequence"] == 3
        ]  # fmt: skip
        assert len(corrected) == 1
    tape = buyer.get("/stocks/BUST1/trades")["items"]
    assert [(trade["sequence"], trade["busted"]) for trade in tape] == [(4, False), (2, False), (1, True)]


def candle(stream: EventStream, interval: str) -> tuple[int, int] | None:
    """Trades and highest price of the last candle that was told."""
    told = [payload for payload in stream.of("CANDLE") if payload["interval"] == interval and "high" in payload]
    return (told[-1]["trade_count"], told[-1]["high"]) if told else None


def test_a_sweep_is_one_delta_of_both_sides(exchange: RunningExchange) -> None:
    exchange.list("BOTH1")
    seller, buyer = exchange.trusted(), exchange.trusted()
    for price in (3_500, 3_510):
        seller.order("ask", 10, price, "BOTH1", wait=10)
    with EventStream(exchange.settings.live.port, "book:BOTH1") as stream:
        stream.wait_for("HEARTBEAT")
        buyer.order("bid", 25, 3_510, "BOTH1", wait=10)
        (delta,) = stream.wait_for("BOOK_DELTA")
    assert delta["asks"] == [[3_500, 0, 0], [3_510, 0, 0]]
    assert delta["bids"] == [[3_510, 5, 1]]
    assert (delta["first"], delta["last"], delta["sequence"]) == (3, 3, 2)


def test_numbers_never_go_back(exchange: RunningExchange, own_valkey: Any) -> None:
    exchange.list("BACK1")
    seller = exchange.trusted()
    with EventStream(exchange.settings.live.port, "book:BACK1,stock:BACK1") as stream:
        stream.wait_for("HEARTBEAT")
        for step in range(4):
            seller.order("ask", 1, 3_500 + step, "BACK1", wait=20)
            if step == 1:
                with redis.Redis.from_url(own_valkey.url) as operator:
                    operator.flushall()
            if step == 2:
                exchange.process("match").kill()
                exchange.start("match")
        until(lambda: stream.of("BOOK_DELTA")[-1]["last"] == 4, "all is told")
        deltas = stream.of("BOOK_DELTA")
        assert [delta["first"] for delta in deltas] == [1, *(delta["last"] + 1 for delta in deltas[:-1])]
        assert stream.of("RESET") == []
    assert seller.get("/stocks/BACK1/book")["book_sequence"] == 4


def test_where_orders_stand_is_told_to_their_owner(exchange: RunningExchange) -> None:
    exchange.list("QUEUE1")
    one, other = exchange.trusted(), exchange.trusted()
    first = other.order("bid", 10, 3_400, "QUEUE1", wait=10)
    with exchange.socket(one.api_key) as own, exchange.socket(other.api_key) as others:
        mine = one.order("bid", 5, 3_400, "QUEUE1", wait=10)
        until(lambda: places(own).get(mine["order_id"]) == (2, 10), "it stands behind the other")
        assert places(others).keys() <= {first["order_id"]}
        assert other.call("DELETE", f"/orders/{first['order_id']}").status_code == 204
        until(lambda: places(own).get(mine["order_id"]) == (1, 0), "it is next")


def places(listener: Any) -> dict[int, tuple[int, int]]:
    """The last place that was told of each order."""
    told = [order for payload in listener.of("QUEUE") for order in payload["orders"]]
    return {order["order_id"]: (order["place"], order["quantity_ahead"]) for order in told}
