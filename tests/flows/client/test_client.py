"""Given a running exchange, when a program trades by the client, then it knows what there is, whatever breaks."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from client import AccountMirror, BookMirror, Exchange, Follower, OutcomeUnknown, Refused, Unreachable
from tests.flows.exchange import Broker, RunningExchange, until


def client_of(exchange: RunningExchange, broker: Broker, url: str | None = None, **options: Any) -> Exchange:
    return Exchange(url or exchange.base, broker.api_key, document="11144477735", **options)


def test_an_order_from_its_preview_to_the_statement(exchange: RunningExchange) -> None:
    maker, taker = (client_of(exchange, exchange.broker(cash=10**9, positions={"PETR4": 1_000})) for _ in range(2))
    rest = maker.sell("PETR4", 100, 3_600, wait=5)
    assert (rest["status"], rest["remaining_quantity"]) == ("open", 100)
    assert taker.preview("buy", "PETR4", 40, 3_600)["fills_now"] == 40
    taken = taker.buy("PETR4", 40, 3_600, wait=5)
    assert (taken["status"], taken["trades"][0]["price"]) == ("filled", 3_600)
    assert taken["client_order_id"] is not None
    assert taker.order_by_client_id(taken["client_order_id"]) == taker.order(taken["order_id"])
    assert taker.order_by_client_id("nothing of the kind") is None
    amended = maker.amend_order(rest["order_id"], price=3_610)
    assert (amended["price"], amended["remaining_quantity"]) == (3_610, 60)
    book = maker.book("PETR4")
    assert book["asks"][0] == {"price": 3_610, "total_quantity": 60, "order_count": 1}
    assert maker.cancel_order(rest["order_id"], wait=5)
    assert [fill["trade_id"] for fill in taker.fills()] == [taken["trades"][0]["trade_id"]]
    told = taker.explain(taken["trades"][0]["trade_id"])
    assert [(level["price"], level["orders"][0]["taken"]) for level in told["levels"]] == [(3_600, 40)]
    assert taker.balance()["available"] == 10**9 - 40 * 3_600
    assert [line["amount"] for line in taker.statement()] == [10**9, -40 * 3_600]
    with pytest.raises(Refused) as refused:
        taker.buy("PETR4", 10**6, 3_800)
    assert refused.value.code == "insufficient_funds"
    assert refused.value.facts["required"] == 10**6 * 3_800


def test_several_at_once_and_all_cancelled(exchange: RunningExchange) -> None:
    client = client_of(exchange, exchange.trusted())
    bodies = [client.order_body("buy", "PETR4", 1, price) for price in (3_400, 3_390, 10**9)]
    answers = client.place_orders(bodies)
    assert [answer["status"] for answer in answers] == [201, 201, 422]
    exchange.settle()
    assert [order["price"] for order in client.orders(status="open")] == [3_390, 3_400]
    assert client.cancel_by_client_id(bodies[0]["client_order_id"], wait=5)
    assert client.cancel_orders("PETR4") == 1
    assert list(client.orders(status="open")) == []


def test_the_market_needs_no_key(exchange: RunningExchange) -> None:
    public = Exchange(exchange.base)
    assert public.config()["live_url"] == exchange.live_base
    assert public.symbols() == ["PETR4"]
    assert public.stock("PETR4")["state"] == "open"
    assert public.ticker("PETR4")["symbol"] == public.tickers("PETR4")[0]["symbol"] == "PETR4"
    assert {trade["trade_id"] for trade in public.tape("PETR4")} >= set()
    assert [event["sequence"] for event in public.tape_events("PETR4", 0)][:1] in ([1], [])
    assert all(candle["low"] <= candle["high"] for candle in public.candles("PETR4", "1m", fill=True))
    for found in (public.clock(), public.price("PETR4"), public.sparklines(), public.health(), public.time()):
        assert found
    assert list(public.indicatives("PETR4")) == []
    with pytest.raises(Refused, match="401"):
        public.balance()


class Cutter:
    """Stands between the client and the exchange, and cuts answers off where it is told to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self.keeps: int | None = None
        """Bytes of the next answers that come through; None for all."""
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[near], daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near, socket.create_connection(("127.0.0.1", self._port)) as far:
            back = threading.Thread(target=self._back, args=[far, near], daemon=True)
            back.start()
            while data := near.recv(65_536):
                far.sendall(data)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(65_536):
                if self.keeps is not None:
                    near.sendall(data[: self.keeps])
                    near.shutdown(socket.SHUT_RDWR)
                    return
                near.sendall(data)


@pytest.fixture
def cutter(exchange: RunningExchange) -> Iterator[Cutter]:
    cutter = Cutter(exchange.settings.web.port)
    yield cutter
    cutter.close()


def test_after_cuts_in_the_middle_of_answers_each_order_stands_once(exchange: RunningExchange, cutter: Cutter) -> None:
    broker, chance = exchange.trusted(), random.Random(5)
    client = client_of(exchange, broker, cutter.url, timeout=5, patience=60)
    stopped = threading.Event()

    def cut() -> None:
        while not stopped.wait(0.02):
            cutter.keeps = chance.choice([None, None, None, 0, 40, 250])
        cutter.keeps = None

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        placed = [client.buy("PETR4", 1, 3_300 + number) for number in range(40)]
    finally:
        stopped.set()
        thread.join()
    exchange.settle()
    orders = list(client_of(exchange, broker).orders())
    assert sorted(order["price"] or 0 for order in orders) == [3_300 + number for number in range(40)]
    assert {order["order_id"] for order in placed} == {order["order_id"] for order in orders}
    client_of(exchange, broker).cancel_orders()


def test_an_order_whose_answers_are_all_lost_is_unknown_until_its_event_comes(
    exchange: RunningExchange, cutter: Cutter
) -> None:
    broker = exchange.trusted()
    client = client_of(exchange, broker, cutter.url, timeout=2, patience=1)
    mirror = AccountMirror(client)
    cutter.keeps = 10
    lost = mirror.place_order("buy", "PETR4", 1, 3_350)
    assert (lost["status"], lost["client_order_id"] is not None) == ("unknown", True)
    assert [order["status"] for order in mirror.orders()] == ["unknown"]
    with pytest.raises(OutcomeUnknown):
        client.buy("PETR4", 1, 3_349)
    cutter.keeps = None
    with Follower(client, ["account"], [mirror]):
        until(lambda: mirror.order(lost["client_order_id"] or "")["status"] == "open", "it is told what became of it")  # type: ignore[index]
        cutter.keeps = 10
        second = mirror.place_order("buy", "PETR4", 1, 3_351)
        until(lambda: mirror.order(second["client_order_id"] or "")["status"] == "open", "its event comes")  # type: ignore[index]
    cutter.keeps = None
    assert mirror.resolve() == []
    client.cancel_orders()


def test_what_never_arrived_is_found_to_be_nothing(exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(exchange, exchange.trusted())
    mirror = AccountMirror(client)

    def lost(*_: Any, **__: Any) -> Any:
        raise OutcomeUnknown("nobody knows")

    with monkeypatch.context() as patched:
        patched.setattr(client, "place_order", lost)
        assert mirror.place_order("buy", "PETR4", 1, 3_350, client_order_id="never")["status"] == "unknown"
    assert [order["client_order_id"] for order in mirror.resolve()] == ["never"]
    assert mirror.orders() == []
    with pytest.raises(Refused):
        mirror.place_order("buy", "PETR4", 1, 10**9)
    away = AccountMirror(client_of(exchange, exchange.trusted(), "http://127.0.0.1:1", patience=0.2))
    with pytest.raises(Unreachable):
        away.place_order("buy", "PETR4", 1, 3_350)
    assert mirror.orders() == away.orders() == []


def test_a_program_that_runs_for_ever_does_not_remember_for_ever(
    exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.account.MOST_PLACED", 10)
    client = client_of(exchange, exchange.trusted())
    mirror = AccountMirror(client)
    last = [mirror.place_order("buy", "PETR4", 1, 3_200, time_in_force="ioc", wait=5) for _ in range(25)][-1]
    assert len(mirror._placed) <= 11
    assert mirror.order(last["client_order_id"] or "") == last
    assert (last["status"], mirror.orders()) == ("expired", [])


def load(exchange: RunningExchange, client: Exchange, other: Exchange, count: int, chance: random.Random) -> None:
    for one in (client, other):
        bodies = []
        for _ in range(count):
            side = chance.choice(("bid", "ask"))
            price = 3_500 + chance.randint(-40, 20) * (1 if side == "bid" else -1)
            bodies.append(one.order_body(side, "PETR4", chance.randint(1, 9), price))  # type: ignore[arg-type]
        one.place_orders(bodies)


def test_ten_cut_connections_and_a_killed_live_change_nothing(exchange: RunningExchange) -> None:
    client, other = (client_of(exchange, exchange.trusted()) for _ in range(2))
    chance, told = random.Random(3), []
    book, account = BookMirror("PETR4"), AccountMirror(client)
    channels = ["book:PETR4", "stock:PETR4", "account"]
    follower = Follower(client, channels, [book, account], lambda name, payload: told.append((name, payload)))
    with follower:
        assert follower.wait_until_ready()
        for number in range(12):
            load(exchange, client, other, 60, chance)
            if number == 6:
                live = exchange.process("live")
                live.kill()
                exchange.start("live")
            elif number:
                follower.cut()
            if number % 4 == 3:
                client.cancel_orders()
        exchange.settle()
        newest = lambda: client.book("PETR4", depth=50)["book_sequence"]  # noqa: E731
        until(lambda: book.book_sequence == newest(), "the book has caught up")
        until(lambda: len(account.fills()) == len(list(client.fills())), "the fills have come")
        assert follower.failure is None
    there = client.book("PETR4", depth=50)
    for side, mirrored in (("bids", book.bids()), ("asks", book.asks())):
        found = [(level["price"], level["total_quantity"], level["order_count"]) for level in there[side]]  # type: ignore[literal-required]
        assert mirrored == found
    kept, expected = account.fills(), list(client.fills())[::-1]
    assert [fill["account_sequence"] for fill in kept] == [fill["account_sequence"] for fill in expected]
    assert [(fill["trade_id"], fill["price"], fill["quantity"]) for fill in kept] == [
        (fill["trade_id"], fill["price"], fill["quantity"]) for fill in expected
    ]
    working = {order["order_id"]: order["remaining_quantity"] for order in client.orders(status="open")}
    assert {order["order_id"]: order["remaining_quantity"] for order in account.orders()} == working
    trades = [payload["trade_id"] for name, payload in told if name == "TRADE_EXECUTED"]
    assert len(trades) == len(set(trades)), "each trade once"
    assert not [name for name, _ in told if name == "RESET"]


def test_a_mirror_that_is_out_of_step_heals_itself(exchange: RunningExchange) -> None:
    client, other = (client_of(exchange, exchange.trusted()) for _ in range(2))
    book, account = BookMirror("PETR4"), AccountMirror(client)
    with Follower(client, ["book:PETR4", "account"], [book, account]) as follower:
        assert follower.wait_until_ready()
        load(exchange, client, other, 20, random.Random(1))
        until(lambda: account.account_sequence, "it has begun")
        before = account.account_sequence or 0
        book.book_sequence = -5
        account.account_sequence = before - 2
        load(exchange, client, other, 20, random.Random(2))
        exchange.settle()
        until(lambda: book.book_sequence == client.book("PETR4", depth=50)["book_sequence"], "the book is right again")
        last = exchange.scalar("SELECT sequence FROM account_counters WHERE broker_id = :b", b=client.me()["broker_id"])
        until(lambda: account.account_sequence == last, "the account is right again")
        assert follower.failure is None
    working = {order["order_id"] for order in client.orders(status="open")}
    assert {order["order_id"] for order in account.orders()} == working


def test_what_is_refused_for_ever_ends_the_following(exchange: RunningExchange) -> None:
    follower = Follower(Exchange(exchange.base, "mx_wrong"), ["account"]).start()
    until(lambda: follower.failure, "it ends")
    assert isinstance(follower.failure, Refused)
    follower.stop()
    with pytest.raises(Refused, match="unknown_stock"):
        Exchange(exchange.base).stream(["book:NONE"])


def test_at_the_end_everything_is_true(exchange: RunningExchange) -> None:
    exchange.verify()
