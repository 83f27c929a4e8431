"""The fan-out to real clients: complete, in order, and not held up by who does not read."""

import contextlib
import itertools
import time

import pytest
import redis

from bench.loads.web_socket import Subscriber
from live.sockets.outbox import KERNEL_BYTES, MOST_BYTES
from queues.bus import Bus
from tests.flows.exchange import Listener, OrderedClient, until

ROOM = "stock:PETR4"
FILLER = "x" * 60_000
"""Makes a client who does not read a slow one within a few messages."""


@pytest.fixture
def announce(exchange):
    """Publishes messages to PETR4's room in one turn, as a worker does."""
    connection = redis.Redis.from_url(exchange.settings.redis.url)
    bus = Bus(connection)

    def announce(*numbers, event="TRADE_EXECUTED", filler=""):
        payloads = [{"sequence": number, "filler": filler} for number in numbers]
        assert bus.announce([{"room": ROOM, "event": event, "payload": payload} for payload in payloads])

    yield announce
    connection.close()


def sequences(listener):
    return [payload["sequence"] for payload in listener.of("TRADE_EXECUTED")]


def test_every_client_hears_everything_once_and_in_order(exchange, announce):
    with exchange.socket() as one, exchange.socket() as other:
        one.subscribe(ROOM)
        other.subscribe(ROOM)
        numbers = itertools.count(1)
        for size in (1, 7, 200, 1, 40) * 4:
            announce(*itertools.islice(numbers, size))
            time.sleep(0.007)
        last = next(numbers) - 1
        # Answers to the client's own calls come in between without harm.
        assert one.subscribe("book:PETR4")["unknown"] == []
        for listener in (one, other):
            until(lambda listener=listener: len(sequences(listener)) >= last, "all has arrived")
            assert sequences(listener) == list(range(1, last + 1))


def test_frames_of_every_length_arrive_whole(exchange, announce):
    lengths = [0, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 1_000, 65_400, 65_480, 65_500, 70_000, 300_000]
    with exchange.socket() as listener:
        listener.subscribe(ROOM)
        for number, length in enumerate(lengths):
            announce(number, filler="x" * length)
        heard = listener.wait_for("TRADE_EXECUTED", len(lengths))
    assert [len(payload["filler"]) for payload in heard] == lengths


def test_a_client_who_does_not_read_is_cut_off_and_the_others_go_on(exchange, announce):
    idle = Subscriber(exchange.settings.live.port, "PETR4", 1)
    with contextlib.closing(idle.socket), exchange.socket() as listener:
        listener.subscribe(ROOM)
        # What the two kernels hold besides is the system's affair, and no more than some megabytes.
        enough = (MOST_BYTES + KERNEL_BYTES + 12_000_000) // len(FILLER)
        for number in range(1, enough + 1):
            announce(number, filler=FILLER)
            until(lambda number=number: sequences(listener)[-1:] == [number], "the reader has it", 2)
        assert sequences(listener) == list(range(1, enough + 1))
        until(lambda: "was cut off" in exchange.processes.latest("live").log.read_text(), "it is cut off")
        until(lambda: idle.receive() == [] and idle.closed, "it sees the end")


def test_who_comes_back_hears_again_and_who_left_is_forgotten(exchange, announce):
    for number in (1, 2):
        with exchange.socket() as listener:
            announce(7)
            listener.subscribe(ROOM)
            announce(number)
            until(lambda listener=listener, number=number: number in sequences(listener), "it hears")
    client = OrderedClient(reconnection=True, reconnection_delay=0.1)
    back = Listener()
    client.on("TRADE_EXECUTED", lambda payload: back.heard.append(("TRADE_EXECUTED", payload)))
    client.on("connect", lambda: client.emit("subscribe", {"channels": [ROOM]}))
    client.connect(exchange.live_base, transports=["websocket"], wait_timeout=10)
    try:
        first = client.sid
        client.eio.ws.sock.shutdown(2)  # the network fails
        until(lambda: client.connected and client.sid not in (None, first), "it is back")
        until(lambda: announce(9) or sequences(back)[-1:] == [9], "it hears again")
    finally:
        client.disconnect()
