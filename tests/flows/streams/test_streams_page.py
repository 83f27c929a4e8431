"""docs/streams.md: its client misses nothing, whatever breaks, over both ways."""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
from typing import Any

import pytest
import requests

from settings.loading import ROOT
from tests.flows.exchange import Broker, OrderedClient, RunningExchange, is_up, until

PAGE = (ROOT / "docs" / "streams.md").read_text(encoding="utf-8")


def channels_of(symbol: str) -> list[str]:
    return [f"stock:{symbol}", f"book:{symbol}", f"candles:{symbol}:1m", "account"]


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """The page's program, as it is when it is imported."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"__name__": "mirror"}
    exec(code, names)  # noqa: S102 - it is ours
    return names


class Load:
    """Two brokers who trade and quote all the time, in batches."""

    def __init__(self, exchange: RunningExchange, symbol: str) -> None:
        exchange.list(symbol)
        self.symbol = symbol
        self.own, self.other = exchange.trusted(), exchange.trusted()
        self._random = random.Random(symbol)

    def orders(self, count: int) -> None:
        for broker in (self.own, self.other):
            batch = [self._order() for _ in range(count)]
            answer = broker.call("POST", "/orders/batch", {"orders": batch})
            assert answer.status_code == 200, answer.text

    def cancels(self) -> None:
        for broker in (self.own, self.other):
            with contextlib.suppress(requests.Timeout):
                broker.call("DELETE", "/orders", Prefer="respond-async")

    def _order(self) -> dict[str, Any]:
        side = self._random.choice(("bid", "ask"))
        price = 3_500 + self._random.randint(-90, 60) * (1 if side == "bid" else -1)
        more = {"display_quantity": 3} if self._random.random() < 0.1 else {}
        quantity = self._random.randint(1, 9) * (3 if more else 1)
        return {
            "document_number": "1",
            "side": side,
            "symbol": self.symbol,
            "quantity": quantity,
            "price": price,
            **more,
        }


def truth(exchange: RunningExchange, broker: Broker, symbol: str) -> dict[str, Any]:
    """What the exchange says over REST once all is matched."""
    book = broker.get(f"/stocks/{symbol}/book?depth=50")
    own: list[dict[str, Any]] = []
    while items := broker.get(f"/account/events?after={len(own)}&limit=500")["items"]:
        own += items
    candles = broker.get(f"/stocks/{symbol}/candles?interval=1m&limit=500")["items"]
    of_stock = "FROM trades t JOIN stocks s ON s.id = t.stock_id WHERE s.symbol = :symbol"
    return {
        "trades": exchange.scalar(f"SELECT count(*) {of_stock}", symbol=symbol),
        "tape": exchange.scalar("SELECT event_sequence FROM stocks WHERE symbol = :symbol", symbol=symbol),
        "book": [{level["price"]: level["total_quantity"] for level in book[side]} for side in ("bids", "asks")],
        "book_sequence": book["book_sequence"],
        "own": {item["account_sequence"]: (item["event"], item["payload"]) for item in own},
        "candles": {candle["start"]: candle["volume"] for candle in candles},
    }


def assert_has_it_all(mirror: Any, exchange: RunningExchange, load: Load) -> None:
    exchange.settle()
    symbol = load.symbol
    wanted = truth(exchange, load.own, symbol)

    def has_it() -> bool:
        numbers = mirror.numbers
        return (
            numbers.get(f"stock:{symbol}") == wanted["tape"]
            and numbers.get(f"book:{symbol}") == wanted["book_sequence"]
            and numbers.get("account") == len(wanted["own"])
            and sum(candle["volume"] for candle in mirror.candles.values()) == sum(wanted["candles"].values())
        )

    until(has_it, "it has come to the end")
    assert len(mirror.trades) == wanted["trades"]
    assert mirror.book == wanted["book"]
    assert {start: candle["volume"] for start, candle in mirror.candles.items()} == wanted["candles"]
    assert mirror.own.keys() == wanted["own"].keys()
    for number, (event, payload) in wanted["own"].items():
        assert mirror.own[number] == (event, payload)


def test_the_client_ends_with_what_the_exchange_has(exchange: RunningExchange, page: dict[str, Any]) -> None:
    load = Load(exchange, "AAAA1")
    mirror, events = page["Mirror"](), []

    def take(event: str, payload: dict[str, Any]) -> None:
        events.append(event)
        mirror.take(event, payload)

    follower = page["Follower"](exchange.live_base, load.own.api_key, channels_of(load.symbol), take)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            follower.run()
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    until(lambda: "HEARTBEAT" in events, "it follows")
    for number in range(24):
        load.orders(60)
        if number % 5 == 4:
            load.cancels()
        if number % 2 and follower.response is not None:
            with contextlib.suppress(OSError, AttributeError):
                follower.response.fp.raw._sock.shutdown(2)  # the network fails
        if number in (6, 16):
            exchange.process("live").kill()
            exchange.start("live")
            is_up(exchange.live_base)
        if number in (9, 14):
            exchange.process("reporter").kill()
            exchange.start("reporter")
    assert_has_it_all(mirror, exchange, load)
    assert failed == []
    assert events.count("RESET") == 0
    follower.stopped = True
    follower.response.fp.raw._sock.shutdown(2)
    thread.join(20)


def test_all_goes_on_while_redis_is_away(exchange: RunningExchange, own_valkey: Any, page: dict[str, Any]) -> None:
    load = Load(exchange, "BBBB2")
    mirror, events = page["Mirror"](), []
    follower = page["Follower"](
        exchange.live_base,
        load.own.api_key,
        channels_of(load.symbol),
        lambda *told: (events.append(told[0]), mirror.take(*told)),
    )
    thread = threading.Thread(target=follower.run, daemon=True)
    thread.start()
    until(lambda: "HEARTBEAT" in events, "it follows")
    load.orders(40)
    own_valkey.kill()
    for _ in range(3):
        load.orders(40)
    assert_has_it_all(mirror, exchange, load)
    own_valkey.start()
    load.orders(40)
    assert_has_it_all(mirror, exchange, load)
    assert events.count("RESET") == 0
    follower.stopped = True


def test_the_same_over_socket_io(exchange: RunningExchange, page: dict[str, Any]) -> None:
    """What a client does there by itself: it subscribes again, and asks REST for what it has missed."""
    load = Load(exchange, "CCCC3")
    follower = SocketFollower(exchange, load, page["Mirror"]())
    for number in range(12):
        load.orders(60)
        if number % 3 == 2:
            follower.cut()
        if number in (4, 8):
            exchange.process("live").kill()
            exchange.start("live")
            is_up(exchange.live_base)
    assert_has_it_all(follower.mirror, exchange, load)
    follower.client.disconnect()


class SocketFollower:
    """A client over Socket.IO that keeps the page's mirror."""

    def __init__(self, exchange: RunningExchange, load: Load, mirror: Any) -> None:
        self.mirror, self.broker, self.symbol = mirror, load.own, load.symbol
        self.client = OrderedClient(reconnection=True, reconnection_delay=0.1, reconnection_delay_max=0.3)
        self.lock = threading.RLock()
        self.waits: list[tuple[str, Any]] | None = []
        for event in ("TRADE_EXECUTED", "STOCK_STATE", "BOOK_DELTA", "BOOK_SNAPSHOT", "CANDLE", *OWN):
            self.client.on(event, lambda payload, event=event: self.take(event, payload))
        self.client.on("connect", self.begin)
        auth = {"token": load.own.api_key}
        self.client.connect(exchange.live_base, auth=auth, transports=["websocket"], wait_timeout=10)

    def take(self, event: str, payload: dict[str, Any]) -> None:
        with self.lock:
            if self.waits is not None:
                self.waits.append((event, payload))
            else:
                self.apply(event, payload)

    def apply(self, event: str, payload: dict[str, Any]) -> None:
        """What REST has told already is passed over."""
        numbers = self.mirror.numbers
        if "account_sequence" in payload:
            if payload["account_sequence"] <= numbers.get("account", 0):
                return
            self.own_up_to(payload["account_sequence"] - 1)
        elif event in ("TRADE_EXECUTED", "STOCK_STATE"):
            if payload["sequence"] <= numbers.get(f"stock:{self.symbol}", 0):
                return
        self.mirror.take(event, payload)

    def begin(self) -> None:
        with self.lock:
            self.waits = []
        self.client.emit("subscribe", {"channels": channels_of(self.symbol)[:3]}, callback=self.subscribed)

    def subscribed(self, answer: dict[str, Any]) -> None:
        with self.lock:
            channels = answer["channels"]
            self.tape_up_to(channels[f"stock:{self.symbol}"]["sequence"])
            self.mirror.take("BOOK_SNAPSHOT", channels[f"book:{self.symbol}"])
            self.candles()
            self.own_up_to(None)
            waits, self.waits = self.waits or [], None
            for event, payload in waits:
                self.apply(event, payload)

    def tape_up_to(self, number: int) -> None:
        while (known := self.mirror.numbers.get(f"stock:{self.symbol}", 0)) < number:
            for item in self.broker.get(f"/stocks/{self.symbol}/events?after={known}&limit=500")["items"]:
                if item["sequence"] <= number:
                    self.mirror.take(item["event"], item["payload"])

    def own_up_to(self, number: int | None) -> None:
        while number is None or self.mirror.numbers.get("account", 0) < number:
            known = self.mirror.numbers.get("account", 0)
            items = self.broker.get(f"/account/events?after={known}&limit=500")["items"]
            for item in items:
                if number is None or item["account_sequence"] <= number:
                    self.mirror.take(item["event"], item["payload"])
            if not items:
                return

    def candles(self) -> None:
        for candle in self.broker.get(f"/stocks/{self.symbol}/candles?interval=1m&limit=500")["items"]:
            self.mirror.candles[candle["start"]] = candle

    def cut(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            self.client.eio.ws.sock.shutdown(2)
        time.sleep(0.3)


OWN = ("ORDER_OPENED", "ORDER_FILLED", "ORDER_AMENDED", "ORDER_CANCELLED", "ORDER_EXPIRED", "ORDER_REJECTED")
