"""Given a running exchange, when the simulator trades, then others find a market, and it survives whatever breaks."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from client import Exchange
from settings.sections import Settings
from simulator import NothingToTrade, Plan, Simulation
from simulator.traders import BROKERS, MAKERS, PEOPLE
from tests.flows.exchange import Broker, RunningExchange, is_up, until

ADMIN_KEY = "mxadmin_of_the_simulation"
PLAN = Plan(("PETR4", "VALE3"), rate=150, seed=5)
tags = itertools.count(1)


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return replace(settings, exchange=replace(settings.exchange, admin_key=ADMIN_KEY))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks again soon at what was not so a moment ago."""
    monkeypatch.setattr("simulator.refusals.SUSPENDED_SECONDS", 4.0)
    monkeypatch.setattr("simulator.refusals.REFUSED_SECONDS", 1.0)
    monkeypatch.setattr("simulator.market.RULES_SECONDS", 0.5)


@pytest.fixture
def admin(exchange: RunningExchange) -> Exchange:
    return Exchange(exchange.base, ADMIN_KEY)


@pytest.fixture(scope="module")
def brokers(exchange: RunningExchange) -> dict[str, Broker]:
    exchange.list("VALE3", 6_100, tick_size=5, lot_size=10)
    positions = dict.fromkeys(PLAN.symbols, 10**6)
    return {name: exchange.broker(name, cash=10**12, positions=positions) for name in BROKERS}


@contextlib.contextmanager
def running(exchange: RunningExchange, brokers: dict[str, Broker], plan: Plan = PLAN) -> Iterator[Simulation]:
    """A simulation in a thread of its own; whatever ends it ends the test."""
    keys = {name: broker.api_key for name, broker in brokers.items()}
    simulation = Simulation(exchange.base, keys, plan, f"t{next(tags)}")
    stopped, failed = threading.Event(), []

    def run() -> None:
        try:
            simulation.run(stopped)
        except Exception as error:  # noqa: BLE001 - it is raised below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield simulation
    finally:
        stopped.set()
        thread.join()
        simulation.cancel_all()
        exchange.settle()
    if failed:
        raise failed[0]


def trades(exchange: RunningExchange, symbol: str = "PETR4") -> int:
    counted = "SELECT count(*) FROM trades t JOIN stocks s ON s.id = stock_id WHERE symbol = :symbol"
    return int(exchange.scalar(counted, symbol=symbol))


def open_orders(exchange: RunningExchange, broker: Broker) -> int:
    return sum(1 for _ in Exchange(exchange.base, broker.api_key).orders(status="open"))


def it_trades_on(exchange: RunningExchange) -> None:
    before = trades(exchange)
    until(lambda: trades(exchange) > before + 3, "it trades on")


def test_a_stranger_finds_somebody_to_trade_with(exchange: RunningExchange, brokers: dict[str, Broker]) -> None:
    stranger = Exchange(exchange.base, exchange.trusted().api_key, document="52998224725")
    with running(exchange, brokers):
        until(lambda: trades(exchange, "PETR4") > 5 and trades(exchange, "VALE3") > 5, "both stocks are traded")
        assert stranger.buy("PETR4", 100, wait=5)["filled_quantity"] == 100
        book = stranger.book("VALE3", depth=50)
        assert all(sum(level["total_quantity"] for level in book[side]) > 300 for side in ("bids", "asks"))
        assert all(level["price"] % 5 == 0 and level["total_quantity"] % 10 == 0 for level in book["bids"])
        mine = stranger.sell("PETR4", 10, stranger.book("PETR4")["bids"][0]["price"] + 1)
        until(lambda: stranger.order(mine["order_id"])["filled_quantity"], "somebody comes for an order that waits")
    assert [open_orders(exchange, broker) for broker in brokers.values()] == [0, 0]
    exchange.verify()


def test_what_it_cancels_is_its_own(exchange: RunningExchange, brokers: dict[str, Broker]) -> None:
    other = brokers[MAKERS].order("bid", 1, 3_200)
    with running(exchange, brokers):
        it_trades_on(exchange)
    assert brokers[MAKERS].get(f"/orders/{other['order_id']}")["status"] == "open"
    brokers[MAKERS].call("DELETE", f"/orders/{other['order_id']}")


def test_it_goes_on_after_restarts_of_everything(exchange: RunningExchange, brokers: dict[str, Broker]) -> None:
    with running(exchange, brokers):
        it_trades_on(exchange)
        for name in ("match", "live", "web"):
            exchange.process(name).kill()
            exchange.start(name)
            is_up(exchange.base)
            it_trades_on(exchange)
    assert [open_orders(exchange, broker) for broker in brokers.values()] == [0, 0]
    exchange.verify()


def test_it_begins_before_anybody_answers(exchange: RunningExchange, brokers: dict[str, Broker]) -> None:
    exchange.process("web").kill()
    with running(exchange, brokers):
        exchange.start("web")
        is_up(exchange.base)
        it_trades_on(exchange)


def test_its_own_orders_of_before_are_found_again(exchange: RunningExchange, brokers: dict[str, Broker]) -> None:
    keys = {name: broker.api_key for name, broker in brokers.items()}
    stopped = threading.Event()
    first = Simulation(exchange.base, keys, PLAN, "kept")
    thread = threading.Thread(target=first.run, args=[stopped])
    thread.start()
    it_trades_on(exchange)
    stopped.set()
    thread.join()
    exchange.settle()
    left = open_orders(exchange, brokers[MAKERS])
    assert left > 6
    second = Simulation(exchange.base, keys, PLAN, "kept")
    stopped.clear()
    thread = threading.Thread(target=second.run, args=[stopped])
    thread.start()
    it_trades_on(exchange)
    quotes = second.desks[MAKERS].orders("PETR4")
    stopped.set()
    thread.join()
    assert len(quotes) <= 12, "its makers would quote beside what they have quoted before"
    second.cancel_all()
    exchange.settle()


def test_what_it_leaves_behind_is_cancelled_where_it_does_not_come_back(
    exchange: RunningExchange, brokers: dict[str, Broker]
) -> None:
    keys = {name: broker.api_key for name, broker in brokers.items()}
    stopped = threading.Event()
    left = Simulation(exchange.base, keys, PLAN, "left", silence=3)
    thread = threading.Thread(target=left.run, args=[stopped])
    thread.start()
    it_trades_on(exchange)
    threading.Event().wait(4)
    exchange.settle()
    assert open_orders(exchange, brokers[MAKERS]) > 6, "it is still there, and says so"
    stopped.set()
    thread.join()
    until(lambda: sum(open_orders(exchange, broker) for broker in brokers.values()) == 0, "all is cancelled")


def test_it_stops_while_its_brokers_are_suspended(
    exchange: RunningExchange, brokers: dict[str, Broker], admin: Exchange
) -> None:
    with running(exchange, brokers) as simulation:
        it_trades_on(exchange)
        try:
            for broker in brokers.values():
                admin.suspend(broker.broker_id)
            until(lambda: all(desk.refusals.is_suspended for desk in simulation.desks.values()), "it has noticed")
            exchange.settle()
            assert [open_orders(exchange, broker) for broker in brokers.values()] == [0, 0]
            sent, traded = simulation.sent, trades(exchange)
            threading.Event().wait(1)
            assert (simulation.sent, trades(exchange)) == (sent, traded)
        finally:
            for broker in brokers.values():
                admin.activate(broker.broker_id)
        it_trades_on(exchange)
    exchange.verify()


def test_a_halted_stock_is_left_alone(exchange: RunningExchange, brokers: dict[str, Broker], admin: Exchange) -> None:
    with running(exchange, brokers) as simulation:
        it_trades_on(exchange)
        admin.change_state("PETR4", "halted")
        until(lambda: simulation.market.view("PETR4", 0.0) is None, "it has noticed")
        exchange.settle()
        placed = "SELECT count(*) FROM orders o JOIN stocks s ON s.id = stock_id WHERE symbol = 'PETR4'"
        before = exchange.scalar(placed)
        before_other = trades(exchange, "VALE3")
        until(lambda: trades(exchange, "VALE3") > before_other + 2, "the other stock goes on")
        assert exchange.scalar(placed) == before
        admin.change_state("PETR4", "open")
        it_trades_on(exchange)


def test_a_desk_that_breaks_ends_it(
    exchange: RunningExchange, brokers: dict[str, Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr("simulator.desk.Desk._place", broken)
    keys = {name: broker.api_key for name, broker in brokers.items()}
    with pytest.raises(ZeroDivisionError, match="a mistake of ours"):
        Simulation(exchange.base, keys, PLAN, "broken").run(threading.Event())


@pytest.mark.parametrize(
    ("symbols", "key", "words"),
    [(("NONE1",), None, "none of NONE1 is listed"), (("PETR4",), "mx_" + "x" * 43, "a key of the simulator")],
)
def test_where_there_is_nothing_to_trade_it_says_why(
    exchange: RunningExchange, brokers: dict[str, Broker], symbols: tuple[str, ...], key: str | None, words: str
) -> None:
    keys = {MAKERS: key or brokers[MAKERS].api_key, PEOPLE: brokers[PEOPLE].api_key}
    with pytest.raises(NothingToTrade, match=words):
        Simulation(exchange.base, keys, Plan(symbols)).run(threading.Event())


def test_a_stock_of_which_it_has_nothing_is_left_alone_where_that_is_wanted(
    exchange: RunningExchange, brokers: dict[str, Broker]
) -> None:
    exchange.list("LATE3", 1_000)
    plan = Plan((*PLAN.symbols, "LATE3"), rate=150, held_only=True)
    with running(exchange, brokers, plan):
        it_trades_on(exchange)
    assert exchange.scalar("SELECT count(*) FROM orders o JOIN stocks s ON s.id = stock_id WHERE symbol = 'LATE3'") == 0
