"""Given a running exchange, when trades are busted by people and rules, then everybody hears it, and exactly once."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from client import AccountMirror, Exchange, Follower, Refused
from tests.flows.clearing.conftest import RULES
from tests.flows.exchange import Broker, RunningExchange, until

ROUNDS = 50


def trade(exchange: RunningExchange, seller: Broker, buyer: Broker, quantity: int = 1, price: int = 3_500) -> int:
    """A trade of these two, which nobody else comes between; its id."""
    seller.order("ask", quantity, price)
    filled = buyer.call(
        "POST",
        "/orders",
        {"document_number": "2", "side": "bid", "symbol": "PETR4", "quantity": quantity, "price": price},
        Prefer="wait=10",
    ).json()
    return int(filled["trades"][-1]["trade_id"])


def status_of(exchange: RunningExchange, trade_id: int) -> list[str]:
    found = exchange.scalar("SELECT array_agg(status ORDER BY id) FROM busts WHERE trade_id = :id", id=trade_id)
    return list(found or [])


def test_everybody_hears_of_a_bust(exchange: RunningExchange, person: Callable[[], Exchange], hooked: Any) -> None:
    one, other = hooked(), hooked()
    mirror = AccountMirror(Exchange(exchange.base, one.broker.api_key))
    follower = Follower(Exchange(exchange.base, one.broker.api_key), ["account"], [mirror])
    with exchange.socket(one.broker.api_key) as owner, exchange.socket() as anybody, follower:
        assert follower.wait_until_ready()
        anybody.subscribe("stock:PETR4", "prices", "candles:PETR4:1m")
        number = trade(exchange, one.broker, other.broker)
        person().bust(number, "a fat finger")
        (told,) = owner.wait_for("TRADE_BUSTED")
        assert (told["trade_id"], told["side"], told["reason"]) == (number, "ask", "a fat finger")
        assert told["account_sequence"] > 0
        (public,) = anybody.wait_for("TRADE_BUSTED")
        assert public.keys() == {
            *("symbol", "sequence", "trade_id", "price", "quantity", "aggressor_side", "executed_at", "busted_at")
        }
        until(lambda: any(candle.get("removed") for candle in anybody.of("CANDLE")), "the candle is gone")
        until(lambda: anybody.of("PRICE")[-1]["last_price"] is None, "the last price is gone")
        until(lambda: [fill["busted"] for fill in mirror.fills()] == [True], "the client knows that the fill is busted")
    for each, side in ((one, "ask"), (other, "bid")):
        until(lambda each=each: len(each.taken) == 2, "both receivers were told")
        bust = each.taken[1]
        assert (bust["event"], bust["trade_id"], bust["side"], bust["sequence"]) == ("trade_busted", number, side, 2)
        assert bust["order_remaining_quantity"] == 0
    exchange.verify()


def test_a_rule_busts_by_itself_also_after_its_job_was_lost(exchange: RunningExchange) -> None:
    """The process is killed before it can judge, and what is on the tape waits for the next one."""
    seller, buyer = exchange.trusted(), exchange.trusted()
    number = trade(exchange, seller, buyer, 1_001)
    until(lambda: status_of(exchange, number) == ["done"], "the rule has busted it")
    assert exchange.scalar("SELECT rule FROM busts WHERE trade_id = :id", id=number) == "size"
    exchange.process("clearing").kill()
    late = trade(exchange, seller, buyer, 1_001)
    time.sleep(0.5)
    assert status_of(exchange, late) == []
    exchange.start("clearing", **RULES)
    until(lambda: status_of(exchange, late) == ["done"], "its successor has judged it")
    assert exchange.scalar("SELECT count(*) FROM verdicts WHERE trade_id IN (:one, :two)", one=number, two=late) == 2
    exchange.verify()


def test_of_several_at_once_exactly_one_takes_effect(
    exchange: RunningExchange, person: Callable[[], Exchange], admin: Exchange
) -> None:
    """A bust, an adjustment, a range and a rule, all of the same trade, while others trade on."""
    seller, buyer = exchange.trusted(), exchange.trusted()
    first, second = person(), person()
    for broker in (seller, buyer):
        broker.get("/balance")
    stopped = threading.Event()
    others = threading.Thread(target=_trade_on, args=(exchange, stopped))
    others.start()
    try:
        for _ in range(ROUNDS):
            before = datetime.now(UTC) - timedelta(seconds=1)
            number = trade(exchange, seller, buyer, 1_001, 3_555)
            ways: list[Callable[[], Any]] = [
                lambda number=number: first.bust(number, "a fat finger"),
                lambda number=number: second.bust(number, "agreed", price=3_500),
                lambda before=before: admin.bust_range("PETR4", before, before + timedelta(hours=1), "a program"),
            ]
            _at_once(ways)
            until(lambda number=number: "requested" not in status_of(exchange, number), "all have had their turn")
            until(lambda number=number: "done" in status_of(exchange, number), "one has taken effect")
            assert status_of(exchange, number).count("done") == 1
    finally:
        stopped.set()
        others.join()
    exchange.verify()


def _at_once(ways: list[Callable[[], Any]]) -> None:
    def act(way: Callable[[], Any]) -> None:
        with contextlib.suppress(Refused):
            way()

    threads = [threading.Thread(target=act, args=(way,)) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _trade_on(exchange: RunningExchange, stopped: threading.Event) -> None:
    """Orders of others that cross, in batches, some 150 a second."""
    buyer, seller = exchange.trusted(), exchange.trusted()
    while not stopped.wait(0.13):
        for broker, side in ((seller, "ask"), (buyer, "bid")):
            order = {"document_number": "3", "side": side, "symbol": "PETR4", "quantity": 1, "price": 3_500}
            broker.call("POST", "/orders/batch", {"orders": [order] * 10})
