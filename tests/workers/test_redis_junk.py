"""Whatever anybody writes into Redis: the worker goes on, health is told, books are read, and no answer is a 500."""

import json
from dataclasses import replace

import pytest

from api.app import create_app
from api.components import EXTENSION
from background import Tasks
from queues import names
from queues.book_cache import BookCache
from queues.connection import connect as connect_redis
from queues.heartbeats import Heartbeats
from queues.replies import Replies
from queues.wakeups import SUSPENDED
from workers import group as group_module
from workers.group import GroupWorker
from workers.presence import Presence

GROUP, STOCK = "J", "JUNK1"
BINARY = b"\xff\xfe\x00junk"

JUNK = {
    "string": lambda redis, key: redis.set(key, "junk"),
    "bytes": lambda redis, key: redis.set(key, BINARY),
    "number": lambda redis, key: redis.set(key, 7),
    "deep": lambda redis, key: redis.set(key, "[" * 100_000),
    "list": lambda redis, key: redis.rpush(key, "junk", BINARY, ""),
    "set": lambda redis, key: redis.sadd(key, "junk", BINARY, ""),
    "zset": lambda redis, key: redis.zadd(key, {"junk": 1, BINARY: "-inf", "": "inf", "A\x00B": 3, "😀": 4}),
    "hash": lambda redis, key: redis.hset(key, mapping={"junk": BINARY, "last_heartbeat": "yesterday"}),
    "stream": lambda redis, key: redis.xadd(key, {"junk": BINARY}),
}

KEYS = (
    names.ready_set(GROUP),
    names.wake_flag(STOCK),
    names.book(STOCK),
    names.heartbeats(GROUP),
    names.PROBE,
    "rq:workers",
    "rq:queues",
    f"rq:queue:match.{STOCK}",
    f"rq:workers:match.{STOCK}",
    "the worker's own",
)


@pytest.fixture(scope="module")
def stock(exchange):
    return exchange.list(STOCK, GROUP)


@pytest.fixture
def worker(exchange, stock, monkeypatch):
    monkeypatch.setattr(group_module, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(group_module, "WAIT_SECONDS", 0.01)
    exchange.redis.flushall()
    redis = connect_redis(exchange.settings.redis, patience_ms=3_000)
    one = GroupWorker(GROUP, exchange.matcher(), exchange.wakeups, Presence(GROUP, redis))
    yield one
    exchange.redis.flushall()


@pytest.fixture(scope="module")
def client(exchange):
    settings = exchange.settings
    app = create_app(replace(settings, match=replace(settings.match, groups=(GROUP,))))
    yield app.test_client(), app.extensions[EXTENSION]
    app.extensions[EXTENSION].database.close()


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
@pytest.mark.parametrize("key", KEYS)
def test_junk_in_a_key_stops_nothing(exchange, worker, client, key, junk):
    http, components = client
    worker.run_once()
    key = worker.presence.key if key == "the worker's own" else key
    exchange.redis.delete(key)
    junk(exchange.redis, key)
    order = exchange.place(STOCK, "bid", 1000)
    exchange.wakeups.wake([(STOCK, GROUP)], again=True)
    for _ in range(2):
        worker.run_once()
    assert exchange.statuses(order) == ["open"]
    components.health_probe.forget()
    answer = http.get("/health")
    assert answer.status_code == 200
    assert "redis" not in answer.json["missing"]
    book = BookCache(exchange.redis).get(STOCK)
    assert book is None or book["symbol"] == STOCK


@pytest.mark.parametrize("kind", ["list", "set", "zset", "hash", "stream"])
def test_what_is_no_suspension_suspends_nobody(exchange, worker, kind):
    JUNK[kind](exchange.redis, SUSPENDED)
    order = exchange.place(STOCK, "bid", 1000)
    exchange.wakeups.wake([(STOCK, GROUP)])
    worker.run_once()
    assert exchange.statuses(order) == ["open"]


@pytest.mark.parametrize(
    "found",
    [
        b"",
        BINARY,
        b"[]",
        b"{}",
        b"7",
        json.dumps({"symbol": "OTHER", "version": 1, "sequence": 1, "bids": [], "asks": []}),
        json.dumps({"symbol": STOCK, "version": "1", "sequence": 1, "bids": [], "asks": []}),
        json.dumps({"symbol": STOCK, "version": 1, "sequence": 1, "bids": {}, "asks": []}),
        json.dumps({"symbol": STOCK, "version": 1, "sequence": 1, "bids": []}),
    ],
)
def test_what_is_no_snapshot_is_no_book(exchange, found):
    exchange.redis.set(names.book(STOCK), found)
    assert BookCache(exchange.redis).get(STOCK) is None


@pytest.mark.parametrize("message", [b"", BINARY, b"7", b"[]", b"{}", b'{"unknown": 7, "": null}', b'"token"'])
def test_junk_among_the_replies_ends_no_listener(exchange, message):
    replies = Replies(exchange.redis, Tasks())
    with replies.expect() as reply:
        token = reply.address.partition("/")[2]
        replies.deliver(message)
        assert not reply.wait(0)
        replies.deliver(json.dumps({token: None}).encode())
        assert reply.wait(0)
    replies.close()


def test_a_heartbeat_begins_anew_where_something_else_was(exchange, worker):
    exchange.redis.set(names.heartbeats(GROUP), "junk")
    assert Heartbeats(exchange.redis).alive([GROUP]) == set()
    Heartbeats(exchange.redis).beat(GROUP, "one")
    Heartbeats(exchange.redis).beat(GROUP, "one")
    assert Heartbeats(exchange.redis).alive([GROUP]) == {GROUP}


@pytest.mark.parametrize("command", [b"", BINARY, b"{}", b'{"command": "unheard-of"}', b"[]"])
def test_junk_among_rq_commands_ends_no_thread(worker, command, caplog):
    worker.presence.handle_payload({"type": "message", "data": command})


def test_a_thread_that_heard_rq_commands_and_ended_is_missed(worker):
    worker.presence.show([], suspended=False)
    first = worker.presence.pubsub_thread
    first.stop()
    worker.presence.connection.publish(worker.presence.pubsub_channel_name, "junk")  # wakes it
    first.join(30)
    assert not first.is_alive()
    worker.presence.show(["CHANGED"], suspended=False)
    assert worker.presence.pubsub_thread is not first
    assert worker.presence.pubsub_thread.is_alive()
