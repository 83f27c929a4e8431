"""What a turn announces, and who hears it."""

import json

import fakeredis
import pytest
import redis as client

from background import Tasks
from queues.book_cache import BookCache
from queues.bus import Bus, books_of
from queues.names import EVENTS_CHANNEL
from queues.replies import Replies

MESSAGE = {"room": "stock:PETR4", "event": "TRADE_EXECUTED", "payload": {"price": 3500}}
SNAPSHOT = {"symbol": "PETR4", "version": 7, "sequence": 3, "bids": [], "asks": []}


@pytest.fixture
def server():
    return fakeredis.FakeServer()


@pytest.fixture
def redis(server):
    return fakeredis.FakeRedis(server=server)


def test_messages_and_the_changed_books_are_one_publication(redis):
    channel = redis.pubsub(ignore_subscribe_messages=True)
    channel.subscribe(EVENTS_CHANNEL)
    channel.get_message(timeout=1)
    told = {**MESSAGE, "said": '"books":["VALE3"]'}
    assert Bus(redis).announce([told], {"PETR4": SNAPSHOT})
    published = channel.get_message(timeout=1)["data"]
    assert json.loads(published) == {"messages": [told], "books": ["PETR4"]}
    assert books_of(published) == ["PETR4"]


def test_very_many_messages_are_several_publications(redis, monkeypatch):
    monkeypatch.setattr("queues.bus.MOST_TOGETHER", 2)
    channel = redis.pubsub(ignore_subscribe_messages=True)
    channel.subscribe(EVENTS_CHANNEL)
    channel.get_message(timeout=1)
    messages = [{**MESSAGE, "payload": {"price": price}} for price in range(5)]
    assert Bus(redis).announce(messages, {"PETR4": SNAPSHOT})
    published = [json.loads(channel.get_message(timeout=1)["data"]) for _ in range(3)]
    assert [one["messages"] for one in published] == [messages[:2], messages[2:4], messages[4:]]
    assert [one["books"] for one in published] == [["PETR4"], [], []]


def test_the_cached_book_is_what_the_worker_left(redis):
    cache = BookCache(redis)
    assert cache.get("PETR4") is None
    Bus(redis).announce([], {"PETR4": SNAPSHOT})
    assert cache.get("PETR4") == SNAPSHOT


def test_without_redis_nothing_is_told_and_nothing_fails(server, redis):
    server.connected = False
    assert Bus(redis).announce([MESSAGE], {"PETR4": SNAPSHOT}, [("somebody/1", 7)]) is False
    assert BookCache(redis).get("PETR4") is None


def test_a_reply_reaches_who_waits_for_it_and_nobody_else(redis_url):

    connection = client.Redis.from_url(redis_url, socket_timeout=5)
    replies = Replies(connection, Tasks())
    with replies.expect() as mine, replies.expect() as other:
        bus = Bus(connection)
        assert any(bus.announce([], replies=[(mine.address, [7, None])]) and mine.wait(0.1) for _ in range(100))
        assert mine.became == [7, None]
        assert not other.wait(0)
    replies.close()


def test_a_late_reply_disturbs_nobody(redis):
    replies = Replies(redis, Tasks())
    with replies.expect() as reply:
        token = reply.address.partition("/")[2]
    replies.deliver(json.dumps({token: 7}).encode())
    assert not reply.wait(0)
    replies.close()
