"""Given receivers that are well, broken, slow or dead, when brokers trade, then each is told everything, in order."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import redis

from tests.flows.exchange import RunningExchange, until
from tests.flows.webhooks.receivers import start_sending, trade
from tests.workers.sending.web_server import OK, Request

NOT_NOW = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"


def test_an_execution_is_told_at_once_and_its_order_shows_it(exchange: RunningExchange, hooked: Any) -> None:
    one = hooked()
    seen: list[tuple[int, int]] = []

    def look(request: Request) -> bytes:
        body = json.loads(request.body)
        order = one.broker.get(f"/orders/{body['order_id']}")
        seen.append((order["filled_quantity"], body["filled_quantity"]))
        return OK

    one.behave = look
    trade(exchange, one, times=3)
    one.caught_up(3)
    assert seen == [(1, 1)] * 3, "from within the receiver the order shows its fill"


def test_one_that_is_down_then_fails_every_other_request_then_is_slow(exchange: RunningExchange, hooked: Any) -> None:
    """And another broker's receiver is told meanwhile as if nothing were the matter."""
    one, other = hooked(), hooked()
    delays: list[float] = []

    def prompt(request: Request) -> bytes:
        delays.append(time.time() - timestamp_of(exchange, json.loads(request.body)))
        return OK

    other.behave = prompt
    one.behave = lambda request: b""  # the connection is closed without an answer
    trade(exchange, one, other, times=20)
    other.caught_up(20)
    assert one.taken == []
    assert one.broker.get("/webhook")["state"] == "failing"
    count = iter(range(10**6))
    one.behave = lambda request: NOT_NOW if next(count) % 2 else OK
    trade(exchange, one, other, times=10)
    one.caught_up(30)
    other.caught_up(30)

    def slowly(request: Request) -> bytes:
        time.sleep(0.3)
        return OK

    one.behave = slowly
    trade(exchange, one, other, times=10)
    other.caught_up(40)
    one.caught_up(40)
    assert sorted(delays)[len(delays) // 2] < 5, "told while the other one hangs"


def timestamp_of(exchange: RunningExchange, body: dict[str, Any]) -> float:
    return float(
        exchange.scalar("SELECT extract(epoch FROM executed_at) FROM trades WHERE id = :id", id=body["trade_id"])
    )


def test_a_dead_one_gets_all_that_waits_soon_after_it_answers(exchange: RunningExchange, hooked: Any) -> None:
    one = hooked()
    one.behave = lambda request: b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"
    trade(exchange, one, times=60)
    until(lambda: one.broker.get("/webhook")["state"] == "failing", "it is failing")
    time.sleep(1)
    one.behave = lambda request: OK
    one.caught_up(60)
    assert len(one.ahead) <= 1
    assert one.broker.get("/webhook")["state"] == "well"
    assert {item["status"] for item in one.broker.get("/webhook/deliveries?limit=500")["items"]} == {"delivered"}


def test_gone_switches_it_off_and_nothing_is_thrown_away(exchange: RunningExchange, hooked: Any) -> None:
    one = hooked()
    one.behave = lambda request: NOT_NOW
    trade(exchange, one, times=3)
    one.behave = lambda request: b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
    until(lambda: not one.broker.get("/webhook")["enabled"], "it is off")
    assert {item["status"] for item in one.broker.get("/webhook/deliveries")["items"]} == {"paused"}
    trade(exchange, one, times=2)
    one.behave = lambda request: OK
    one.broker.call("PUT", "/webhook", {"url": one.server.url()})
    until(lambda: len(one.taken) == 3 and not one.waiting(), "what waited goes out")
    assert [body["sequence"] for body in one.taken] == [1, 2, 3]
    assert len(one.broker.get("/account/events?limit=500")["items"]) == 10, "the others are to be had there"


def test_a_killed_sender_and_a_redis_that_is_away_lose_nothing(
    exchange: RunningExchange, own_valkey: Any, hooked: Any
) -> None:
    one = hooked()
    for _ in range(3):
        trade(exchange, one, times=10)
        exchange.process("webhooks").kill()
        trade(exchange, one, times=5)
        start_sending(exchange)
    one.caught_up(45, 60)
    own_valkey.stop(1)
    trade(exchange, one, times=5)
    one.caught_up(50)
    own_valkey.start()
    trade(exchange, one, times=5)
    one.caught_up(55)


def test_a_sender_that_is_stopped_waits_for_nobody_and_its_successor_goes_on(
    exchange: RunningExchange, hooked: Any
) -> None:
    """With the time that it has by default; the receiver answers nothing until the sender is gone."""
    one, gone = hooked(), threading.Event()

    def hang(request: Request) -> bytes:
        gone.wait(60)
        return OK

    exchange.process("webhooks").stop()
    one.behave = hang
    start_sending(exchange, TIMEOUT_MS="15000")
    trade(exchange, one, times=3)
    until(lambda: one.server.requests, "it is told")
    assert exchange.process("webhooks").stop() == 0
    gone.set()
    start_sending(exchange)
    one.caught_up(3)


def test_two_senders_share_the_work_and_keep_the_order(exchange: RunningExchange, hooked: Any) -> None:
    several = [hooked() for _ in range(4)]
    start_sending(exchange)
    trade(exchange, *several, times=25)
    for one in several:
        one.caught_up(25)
        sequences = [body["sequence"] for body in one.taken]
        assert sequences == list(range(1, 26)), "each once, in order"


def test_a_test_arrives(exchange: RunningExchange, hooked: Any) -> None:
    one = hooked()
    delivery = one.broker.call("POST", "/webhook/test").json()["delivery_id"]
    until(lambda: one.server.requests, "the test arrives")
    body = json.loads(one.server.requests[0].body)
    assert (body["event"], body["delivery_id"]) == ("test", delivery)
    assert one.server.requests[0].headers["webhook-id"] == str(delivery)
    until(lambda: one.broker.get(f"/webhook/deliveries/{delivery}")["status"] == "delivered", "it is delivered")


def test_workers_and_queue_are_seen_by_rq(exchange: RunningExchange, own_valkey: Any) -> None:
    with redis.Redis.from_url(own_valkey.url) as client:
        names = until(lambda: [name for name in client.smembers("rq:workers") if b"webhooks-" in name], "it is listed")
        assert client.hget(names[0], "queues") == b"webhooks"


def test_at_the_end_everything_is_true(exchange: RunningExchange) -> None:
    exchange.verify()
