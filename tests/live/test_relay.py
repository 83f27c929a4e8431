"""From an announcement to the rooms, and when a book's snapshot is due."""

import json

import fakeredis
import pytest
from redis import RedisError

from live.relay import Relay
from live.snapshots import Throttle, top_of
from queues import names
from queues.bus import Bus

LEVELS = [{"price": 3500 - n, "total_quantity": 100, "order_count": 1} for n in range(7)]
SNAPSHOT = {"symbol": "PETR4", "version": 7, "book_sequence": 9, "sequence": 3, "bids": LEVELS, "asks": []}


class TwoRooms:
    """Rooms with members are those of PETR4; what is emitted is kept."""

    def __init__(self, emitted):
        self.emitted = emitted

    def has_members(self, room):
        return room in {"stock:PETR4", "book:PETR4"}

    def emit(self, *what):
        self.emitted.append(what)


@pytest.fixture
def emitted():
    return []


@pytest.fixture
def relay(emitted):
    redis = fakeredis.FakeRedis()
    Bus(redis).announce([], {"PETR4": SNAPSHOT})
    return Relay(redis, TwoRooms(emitted), 1.0)


def turn(*rooms, books=()):
    messages = [{"room": room, "event": "TRADE_EXECUTED", "payload": {"room": room}} for room in rooms]
    return json.dumps({"messages": messages, "books": list(books)}).encode()


def raising(error):
    def fail(*_):
        raise error

    return fail


def test_only_rooms_with_members_are_emitted_to(relay, emitted):
    relay.relay(turn("stock:VALE3", "stock:PETR4"))
    assert emitted == [("TRADE_EXECUTED", {"room": "stock:PETR4"}, "stock:PETR4")]


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\xff",
        b"7",
        b"[]",
        b"{}",
        b'{"messages": 7, "books": []}',
        b'{"messages": [7], "books": []}',
        b'{"messages": [{"room": []}], "books": []}',
        b'{"messages": [{"room": "stock:PETR4"}], "books": []}',
        b'{"messages": [], "books": [[]]}',
        b"[" * 100_000,
    ],
)
def test_junk_that_somebody_published_keeps_nothing_from_being_relayed(relay, emitted, junk):
    relay.relay(junk)
    relay.relay(turn("stock:PETR4"))
    assert emitted == [("TRADE_EXECUTED", {"room": "stock:PETR4"}, "stock:PETR4")]
    relay.send_snapshots(10.0)


@pytest.mark.parametrize("error", [RedisError("away"), RuntimeError("a fault of ours")])
def test_the_relay_listens_anew_whatever_ended_it(relay, emitted, monkeypatch, error):
    relay.rooms.flush = lambda: None
    relay.run_once()
    assert relay.connected
    first = relay._channel
    with monkeypatch.context() as broken:
        broken.setattr(relay, "send_snapshots", raising(error))
        with pytest.raises(type(error)):
            relay.run_once()
    assert not relay.connected
    relay.redis.publish(names.EVENTS_CHANNEL, turn("stock:PETR4"))  # nobody listens now
    relay.run_once()
    assert relay.connected
    assert relay._channel is not first
    relay.redis.publish(names.EVENTS_CHANNEL, turn("stock:PETR4"))
    relay.run_once()
    assert len(emitted) == 1


def test_a_changed_book_is_sent_with_five_levels_a_side(relay, emitted):
    relay.relay(turn(books=["PETR4", "VALE3"]))
    relay.send_snapshots(10.0)
    ((event, payload, room),) = emitted
    assert (event, room) == ("BOOK_SNAPSHOT", "book:PETR4")
    assert payload == {"symbol": "PETR4", "book_sequence": 9, "sequence": 3, "bids": LEVELS[:5], "asks": []}
    assert payload == top_of(SNAPSHOT)


def test_a_snapshot_carries_the_books_own_number_where_there_is_one():
    assert top_of({**SNAPSHOT, "book_sequence": 9}) == {**top_of(SNAPSHOT), "book_sequence": 9}


def test_one_snapshot_a_second_while_the_book_changes_and_the_last_change_is_not_missed():
    throttle = Throttle(1.0)
    throttle.change(["PETR4"])
    assert throttle.due(10.0) == ["PETR4"]
    throttle.change(["PETR4"])
    assert throttle.due(10.5) == []
    assert throttle.due(11.0) == ["PETR4"]
    assert throttle.due(20.0) == []
