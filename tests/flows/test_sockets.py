"""The fan-out to real clients: complete, in order, and not held up by who does not read."""

import contextlib
import time

import pytest
import redis
from sqlalchemy import text

from bench.loads.web_socket import Subscriber
from live.sockets.outbox import KERNEL_BYTES, MOST_BYTES
from queues.bus import Bus
from tests.flows.exchange import Listener, OrderedClient, until

ROOM = "stock:PETR4"
FILLER = "x" * 60_000
"""Makes a client who does not read a slow one within a few messages."""


@pytest.fixture
def announce(exchange):
    """Puts events on PETR4's tape, numbered as they come, and publishes them in one turn, as a worker does."""
    connection = redis.Redis.from_url(exchange.settings.redis.url)
    bus = Bus(connection)

    def announce(count=1, filler="", *, told=True):
        with exchange.engine.begin() as database:
            rows = database.execute(APPEND, {"count": count, "filler": filler}).all()
        messages = [{"room": ROOM, "event": "TRADE_EXECUTED", "payload": row.payload} for row in rows]
        assert not told or bus.announce(messages)
        return [row.sequence for row in rows]

    yield announce
    connection.close()


APPEND = text("""
    WITH stock AS (
        UPDATE stocks SET event_sequence = event_sequence + :count WHERE symbol = 'PETR4' RETURNING id, event_sequence
    ), numbers AS (
        SELECT id, event_sequence - :count + n AS sequence FROM stock CROSS JOIN generate_series(1, :count) AS n
    )
    INSERT INTO events (stock_id, sequence, kind, payload)
    SELECT id, sequence, 'TRADE_EXECUTED',
        json_build_object('sequence', sequence, 'filler', CAST(:filler AS text))
    FROM numbers RETURNING sequence, payload
""")


def sequences(listener):
    return [payload["sequence"] for payload in listener.of("TRADE_EXECUTED")]


def test_every_client_hears_everything_once_and_in_order(exchange, announce):
    with exchange.socket() as one, exchange.socket() as other:
        one.subscribe(ROOM)
        other.subscribe(ROOM)
        told = []
        for size in (1, 7, 200, 1, 40) * 4:
            told += announce(size)
            time.sleep(0.007)
        # Answers to the client's own calls come in between without harm.
        assert one.subscribe("book:PETR4")["unknown"] == []
        for listener in (one, other):
            until(lambda listener=listener: len(sequences(listener)) >= len(told), "all has arrived")
            assert sequences(listener) == told


def test_frames_of_every_length_arrive_whole(exchange, announce):
    lengths = [0, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 1_000, 65_400, 65_480, 65_500, 70_000, 300_000]
    with exchange.socket() as listener:
        listener.subscribe(ROOM)
        for length in lengths:
            announce(filler="x" * length)
        heard = listener.wait_for("TRADE_EXECUTED", len(lengths))
    assert [len(payload["filler"]) for payload in heard] == lengths


def test_a_client_who_does_not_read_is_cut_off_and_the_others_go_on(exchange, announce):
    idle = Subscriber(exchange.settings.live.port, "PETR4", 1)
    with contextlib.closing(idle.socket), exchange.socket() as listener:
        listener.subscribe(ROOM)
        # What the two kernels hold besides is the system's affair, and no more than some megabytes.
        enough = (MOST_BYTES + KERNEL_BYTES + 12_000_000) // len(FILLER)
        told = []
        for _ in range(enough):
            told += announce(filler=FILLER)
            until(lambda last=told[-1]: sequences(listener)[-1:] == [last], "the reader has it", 2)
        assert sequences(listener) == told
        until(lambda: "was cut off" in exchange.processes.latest("live").log.read_text(), "it is cut off")
        until(lambda: idle.receive() == [] and idle.closed, "it sees the end")


def test_who_comes_back_hears_again_and_who_left_is_forgotten(exchange, announce):
    for _ in range(2):
        with exchange.socket() as listener:
            announce()
            stands_at = listener.subscribe(ROOM)["channels"][ROOM]["sequence"]
            (last,) = announce()
            expected = list(range(stands_at + 1, last + 1))
            until(lambda heard=listener, expected=expected: sequences(heard) == expected, "it hears what comes")
    client = OrderedClient(reconnection=True, reconnection_delay=0.1)
    back = Listener()
    client.on("TRADE_EXECUTED", lambda payload: back.heard.append(("TRADE_EXECUTED", payload)))
    client.on("connect", lambda: client.emit("subscribe", {"channels": [ROOM]}))
    client.connect(exchange.live_base, transports=["websocket"], wait_timeout=10)
    try:
        first = client.sid
        client.eio.ws.sock.shutdown(2)  # the network fails
        until(lambda: client.connected and client.sid not in (None, first), "it is back")
        until(lambda: announce()[-1] in sequences(back) or sequences(back), "it hears again")
    finally:
        client.disconnect()
