"""Whatever one client sends over Socket.IO, at whatever rate: the others are served, and nothing is left of it."""

from __future__ import annotations

import contextlib
import json
import random
import re
import threading
import time

import pytest
import requests
from sqlalchemy import text
from websocket import ABNF, WebSocketException

from tests.flows.exchange import RunningExchange, is_up, until
from tests.flows.raw_socket import raw_socket

CHANNELS = 10
STOCKS = [f"FLOOD{number}" for number in range(12)]
MASKED = b"\x80\x00\x00\x00\x00"
"""The second byte of an empty frame of a client, and its mask."""


@pytest.fixture(scope="module")
def exchange(settings, tmp_path_factory):
    """Socket.IO alone, where a connection may have ten channels."""
    running = RunningExchange(settings, tmp_path_factory.mktemp("exchange"))
    try:
        for symbol in STOCKS:
            running.list(symbol)
        limits = {"MINEX_DATABASE_POOL_SIZE": "2", "MINEX_DATABASE_STATEMENT_TIMEOUT_MS": "1000"}
        running.start("live", MINEX_LIVE_CHANNELS=str(CHANNELS), **limits)
        is_up(running.live_base)
        yield running
    finally:
        running.close()


@pytest.fixture
def port(exchange):
    return exchange.settings.live.port


@pytest.fixture
def log(exchange):
    """What the process has said during the test."""
    file = exchange.process("live").log
    before = len(file.read_text())
    return lambda: file.read_text()[before:]


def health(exchange):
    return requests.get(f"{exchange.live_base}/health", timeout=30).json()


@contextlib.contextmanager
def flood(raw, data):
    """Send `data` again and again as fast as it is taken; the number of times, and whether that still goes on."""
    stopped, sent = threading.Event(), [0]

    def send():
        with contextlib.suppress(OSError):
            while not stopped.is_set():
                raw.socket.sock.sendall(data)
                sent[0] += 1

    raw.socket.sock.settimeout(1)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        stopped.set()
        raw.socket.shutdown()
        thread.join()


FLOODS = {
    "tiny pings": (b"\x89" + MASKED) * 5_000,
    "empty fragments": b"\x01" + MASKED + (b"\x00" + MASKED) * 5_000,
    "empty subscriptions": ABNF.create_frame('42["unsubscribe",{"channels":[]}]', ABNF.OPCODE_TEXT).format() * 500,
    "long subscriptions": ABNF.create_frame(
        "42" + json.dumps(["subscribe", {"channels": ["stock:NONE3"] * 1_000}]), ABNF.OPCODE_TEXT
    ).format()
    * 10,
    "Engine.IO pongs": ABNF.create_frame("3", ABNF.OPCODE_TEXT).format() * 5_000,
}


@pytest.mark.parametrize("what", FLOODS)
def test_others_are_answered_while_one_floods(exchange, port, log, what):
    with raw_socket(port) as flooding, raw_socket(port) as other:
        flooding.connect()
        other.connect()
        with flood(flooding, FLOODS[what]):
            for _ in range(20):
                answer = other.emit("subscribe", {"channels": [f"stock:{STOCKS[0]}"]})
                assert list(answer["channels"]) == [f"stock:{STOCKS[0]}"]
                assert health(exchange)["status"] == "up"
    assert "Traceback" not in log()


def test_a_flood_is_taken_at_a_pace_of_ours(port):
    with raw_socket(port) as raw:
        raw.connect()
        with flood(raw, FLOODS["tiny pings"]) as sent:
            time.sleep(1.0)
            before = sent[0]
            time.sleep(1.0)
            assert sent[0] - before < 2, "the client's own system makes it wait"


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff" + MASKED,
        b"\x81\x00",
        b"\x8f" + MASKED,
        b"\x09" + MASKED,
        b"\x80" + MASKED,
        b"\x88\x81\x00\x00\x00\x00\x01",
        b"\x88\x82\x00\x00\x00\x00\x03\xed",
        b"\x88\x82\x00\x00\x00\x00\xff\xff",
        b"\x81\x81\x00\x00\x00\x00\xff",
        b"\x89\xfe\x00\x00",
        b"\xc1" + MASKED,
        random.Random(7).randbytes(64),
    ],
)
def test_a_bad_frame_ends_its_connection_and_is_no_news(exchange, port, log, frame):
    with raw_socket(port) as raw:
        raw.connect()
        raw.socket.sock.sendall(frame + b"\x88\x80\x00\x00\x00\x00")
        with contextlib.suppress(WebSocketException, OSError):
            while raw.socket.recv_frame().opcode != ABNF.OPCODE_CLOSE:
                continue
    assert health(exchange)["status"] == "up"
    assert log() == ""


def test_a_connection_has_so_many_channels_and_repeats_count_once(port):
    with raw_socket(port) as raw:
        raw.connect()
        channels = [f"book:{symbol}" for symbol in STOCKS]
        assert len(raw.emit("subscribe", {"channels": channels[:CHANNELS] * 50})["channels"]) == CHANNELS
        assert raw.emit("subscribe", {"channels": channels[:1]})["unknown"] == []
        answer = raw.emit("subscribe", {"channels": channels[CHANNELS:]})
        assert answer == {"error": f"At most {CHANNELS} channels on one connection.", "code": "too_many_channels"}
        raw.emit("unsubscribe", {"channels": channels[:2]})
        assert len(raw.emit("subscribe", {"channels": channels[CHANNELS:]})["channels"]) == 2


def test_a_crowd_of_subscribers_keeps_nobody_from_connecting_and_no_key_from_being_revoked(exchange, port):
    broker = exchange.broker()
    token = json.dumps({"token": broker.api_key})
    channels = [f"stock:{symbol}" for symbol in STOCKS[:CHANNELS]]
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(raw_socket(port)) for _ in range(24)]
        keyed = stack.enter_context(raw_socket(port))
        keyed.connect(token)
        for raw in crowd:
            raw.connect()
        for _ in range(10):
            for raw in crowd:
                raw.send("420" + json.dumps(["subscribe", {"channels": channels}]))
        assert "sid" in stack.enter_context(raw_socket(port)).connect(token)
        with exchange.engine.begin() as connection:
            statement = text("UPDATE api_keys SET revoked_at = now() WHERE broker_id = :id")
            connection.execute(statement, {"id": broker.broker_id})
        assert keyed.answer() == '42["CLOSED",{"code":"key_revoked"}]'
        for raw in crowd:
            answers = [json.loads(raw.answer()[3:])[0] for _ in range(10)]
            assert [list(answer["channels"]) for answer in answers] == [channels] * 10


def test_keys_that_cannot_be_looked_up_close_their_sockets(exchange, port):
    broker = exchange.broker()
    with raw_socket(port) as keyed, raw_socket(port) as public:
        keyed.connect(json.dumps({"token": broker.api_key}))
        public.connect()
        with exchange.engine.begin() as connection:
            connection.execute(text("LOCK TABLE brokers IN ACCESS EXCLUSIVE MODE"))
            until(lambda: health(exchange)["missing"] == ["postgresql"], "PostgreSQL is missed")
            assert keyed.answer() == '42["CLOSED",{"code":"key_unverified"}]'
            assert keyed.answer() == "41"
            assert keyed.farewell() == (1013, "The API key cannot be verified just now.")
        assert public.emit("unsubscribe", {"channels": []}) == {"channels": [], "unknown": []}
    is_up(exchange.live_base)
    said = re.findall(r"PostgreSQL is away, keys are not looked up", exchange.process("live").log.read_text())
    assert len(said) == 1, "each kind is said once a minute"


def test_at_an_addresses_cap_its_own_connection_goes_that_was_silent_for_longest(settings, tmp_path):
    running = RunningExchange(settings, tmp_path)
    port = running.settings.live.port
    try:
        running.start("live", MINEX_LIVE_CONNECTIONS_OF_ADDRESS="5")
        is_up(running.live_base)
        with contextlib.ExitStack() as stack:
            first, second, *_ = [stack.enter_context(raw_socket(port)) for _ in range(5)]
            first.connect()
            stack.enter_context(raw_socket(port)).connect()
            assert first.emit("unsubscribe", {"channels": []}) == {"channels": [], "unknown": []}
            with pytest.raises((WebSocketException, OSError)):
                second.connect()
    finally:
        running.close()
