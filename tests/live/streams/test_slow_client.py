"""A client that does not read, over a real socket: it is sent the sum of what it missed once it reads again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket

from live.feeds.books import BookFeed
from live.feeds.hub import Hub
from live.feeds.shown_book import DEPTH, ShownBook
from live.sockets import outbox as outboxes
from live.sockets.outbox import MOST_BYTES, Outbox
from live.streams.stream import Stream
from tests.live.feeds.listening import BookMirror

CHANGES = 3_000


def book(number: int) -> ShownBook:
    """All of its levels are others in each."""
    levels = [{"price": 1_000 - n, "total_quantity": 1 + (number + n) % 99, "order_count": 1} for n in range(DEPTH)]
    asks = [{**level, "price": 2_000 - level["price"]} for level in levels]
    return ShownBook("STK", "e", {"book_sequence": number, "sequence": 0, "bids": levels, "asks": asks})


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def events(data: bytes) -> list[tuple[str, Any]]:
    found = []
    for block in data.split(b"\n\n"):
        fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line)
        if "id" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def read_all(client: Any) -> bytes:
    """What is there, and what comes as soon as it is taken."""
    data = b""
    with gevent.Timeout(0.5, False):
        while piece := client.recv(1_000_000):
            data += piece
    return data


def test_who_does_not_read_is_sent_one_delta_for_all_of_it(pair: tuple[Any, Any]) -> None:
    ours, theirs = pair
    hub = Hub()
    hub.epoch = "e"
    feed = BookFeed("book:STK", book(1), 99.0)
    hub.add(feed)
    stream = Stream(hub, Outbox(ours), ["book:STK"], ["book:STK"])
    feed.join(stream)
    mirror = BookMirror(feed.snapshot())
    for number in range(2, CHANGES):
        feed.show(book(number))
        feed.flush({})
        stream.flush()
        if number % 50 == 0:
            gevent.sleep(0)
    assert stream.is_behind
    assert stream._outbox.waiting_bytes < MOST_BYTES / 4  # what can be put together does not pile up
    deltas = [payload for event, payload in events(read_all(theirs)) if event == "BOOK_DELTA"]
    assert not stream.is_behind
    feed.flush({})
    stream.flush()
    deltas += [payload for event, payload in events(read_all(theirs)) if event == "BOOK_DELTA"]
    for delta in deltas:
        mirror.apply(delta)
    assert deltas[-1]["last"] == CHANGES - 1
    assert deltas[-1]["first"] < CHANGES - 500
    assert mirror.sides == {"bids": feed.book.bids, "asks": feed.book.asks}
    assert hub.positions(stream) == {"book:STK": CHANGES - 1}


def test_who_takes_nothing_for_long_is_cut_off(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pair
    monkeypatch.setattr(outboxes, "STALLED_SECONDS", 0.2)
    outbox = Outbox(ours)
    outbox.put(b"x" * 3_000_000)
    outbox.flush()
    gevent.sleep(0.05)
    assert outbox.waiting_bytes > 0
    gevent.sleep(0.5)
    with pytest.raises(OSError):
        ours.send(b"more")
    assert theirs.recv(1)


def test_who_reads_slowly_but_reads_stays(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pair
    monkeypatch.setattr(outboxes, "STALLED_SECONDS", 0.3)
    outbox = Outbox(ours)
    outbox.put(b"x" * 3_000_000)
    outbox.flush()
    taken = 0
    while taken < 3_000_000:
        taken += len(theirs.recv(300_000))
        gevent.sleep(0.02)
    assert outbox.waiting_bytes == 0
