"""Whatever a client sends over Socket.IO is answered or ends its connection; nobody is anonymous without knowing it."""

import contextlib
import http.client
import json
import socket

import pytest
from websocket import ABNF

from tests.flows.exchange import RunningExchange, is_up, until
from tests.flows.raw_socket import PATH, RawSocket, raw_socket

POLLING = "/socket.io/?EIO=4&transport=polling"
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}
KEY = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
DEEP = "[" * 60_000


@pytest.fixture(scope="module")
def exchange(settings, tmp_path_factory):
    """Socket.IO alone, with PETR4 listed."""
    running = RunningExchange(settings, tmp_path_factory.mktemp("exchange"))
    try:
        running.list("PETR4")
        running.start("live")
        is_up(running.live_base)
        yield running
    finally:
        running.close()


@pytest.fixture
def port(exchange):
    return exchange.settings.live.port


def refusal(answer):
    """The code of a CONNECT_ERROR, which has a sentence besides."""
    assert answer["message"].endswith(".")
    return answer["data"]["code"]


@pytest.fixture
def ask(port):
    """One HTTP request on a connection of its own, closed after the answer: its status, media type and JSON."""

    def ask(method, path, headers=None, body=None):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], json.load(answer)

    return ask


@pytest.mark.parametrize("packet", ["6", "2probe", "7", "x" * 70_000, "40", ""])
def test_nobody_polls_and_nothing_stays_open(ask, connections, packet):
    for answer in (ask("GET", POLLING), ask("POST", f"{POLLING}&sid=none", body=packet)):
        status, media_type, problem = answer
        assert (status, media_type) == (400, "application/problem+json")
        assert problem["code"] == "websocket_only"
        assert "transports: ['websocket']" in problem["detail"]
    until(lambda: connections() == [], "no connection is left")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", PATH, {}),
        ("GET", PATH, UPGRADE),
        ("GET", PATH, {**UPGRADE, **KEY, "Sec-WebSocket-Key": "short"}),
        ("GET", PATH, {**UPGRADE, **KEY, "Sec-WebSocket-Version": "8"}),
        ("GET", POLLING, {**UPGRADE, **KEY}),
        ("POST", PATH, {**UPGRADE, **KEY}),
        ("GET", "/socket.io/?EIO=4", {**UPGRADE, **KEY}),
    ],
)
def test_what_is_no_whole_handshake_is_told_how_to_connect(ask, connections, method, path, headers):
    status, _, problem = ask(method, path, headers)
    assert (status, problem["code"]) == (400, "websocket_only")
    until(lambda: connections() == [], "no connection is left")


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        ("6", 1002),
        ("2probe", 1002),
        ("2", 1002),
        ("7", 1002),
        ("x", 1002),
        ("", 1002),
        ("4", 1002),
        ("4{}", 1002),
        ("4²", 1002),
        ("3" + DEEP, 1002),
        ("b4", 1002),
        (b"4", 1003),
        ("42", 1002),
        ("42{}", 1002),
        ("42[]", 1002),
        ("42[1]", 1002),
        ('42["subscribe"', 1002),
        ("42" + DEEP, 1002),
        ('42["disconnect"]', 1002),
        ('42["connect",{}]', 1002),
        ('42["*"]', 1002),
        ('42/admin,["subscribe"]', 1002),
        ('451-["subscribe",{"_placeholder":true,"num":0}]', 1002),
        ('45999999999-["x"]', 1002),
        ("430[]", 1002),
        ("44{}", 1002),
        ("4" + "2" * 200, 1002),
        ('42["' + "x" * 65_536 + '"]', 1009),
    ],
)
def test_a_packet_that_cannot_be_understood_ends_the_connection(port, connections, packet, code):
    with raw_socket(port) as raw:
        assert "sid" in raw.connect()
        raw.send(packet)
        assert raw.farewell()[0] == code
    until(lambda: connections() == [], "no connection is left")


@pytest.mark.parametrize(
    "header", ["X-Odd: a\tb", "X-Odd: \xe9\xff", "X-Odd:", "Host: [::", "Sec-WebSocket-Protocol: ,", "X-É: 1"]
)
def test_headers_that_mean_nothing_break_nothing(exchange, port, header):
    path = f"GET {PATH}&x=%ff%00\xe9 HTTP/1.1\r\n"
    known = "".join([f"{name}: {value}\r\n" for name, value in {**UPGRADE, **KEY}.items()])
    host = "" if header.startswith("Host") else "Host: x\r\n"
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        client.sendall(f"{path}{host}{known}{header}\r\n\r\n".encode("latin-1"))
        status = client.recv(65_536).split()[1]
    assert status in (b"101", b"400")
    assert "Traceback" not in exchange.process("live").log.read_text()


def test_fragments_without_an_end_end_the_connection(port, connections):
    with raw_socket(port) as raw:
        for opcode, length in ((ABNF.OPCODE_TEXT, 60_000), (ABNF.OPCODE_CONT, 5_600)):
            raw.socket.send_frame(ABNF(fin=0, opcode=opcode, data=b"4" * length))
        assert raw.farewell()[0] == 1009
    until(lambda: connections() == [], "no connection is left")


def test_an_event_before_connect_ends_the_connection_with_the_reason(port):
    with raw_socket(port) as raw:
        raw.send('420["subscribe",{"channels":[]}]')
        assert raw.farewell() == (1002, "Send CONNECT first and wait for its answer.")


@pytest.mark.parametrize("payload", ['{"token":', "{'token': 'x'}", "\\", DEEP, '{"token":"\x00"}'])
def test_a_connect_that_is_not_json_is_answered_and_ends_the_connection(port, payload):
    with raw_socket(port) as raw:
        assert refusal(raw.connect(payload)) == "malformed_packet"
        assert raw.farewell()[0] == 1002


@pytest.mark.parametrize(
    "payload",
    [
        '{"apiKey":"mx_1"}',
        '{"token":"mx_1","api_key":"mx_1"}',
        '{"token":"mx_1","note":1}',
        '{"token":""}',
        '{"token":null}',
        '{"api_key":42}',
        '{"api_key":["mx_1"]}',
        '{"\\ud800":"mx_1"}',
        '"mx_1"',
        '""',
        "[]",
        '["mx_1"]',
        "42",
        "0",
        "-1",
        "true",
        "false",
    ],
)
def test_auth_that_cannot_be_used_is_refused(port, payload):
    with raw_socket(port) as raw:
        assert refusal(raw.connect(payload)) == "unusable_auth"
        assert "sid" in raw.connect("{}"), "the connection is as before"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"Authorization": "Bearer mx_1"}),
        ("", {"Authorization": "mx_1"}),
        ("", {"X-Api-Key": "mx_1"}),
        ("&token=mx_1", {}),
        ("&apiKey=mx_1", {}),
        ("&api_key=", {}),
    ],
)
def test_a_key_in_another_place_is_refused(exchange, port, query, headers):
    with raw_socket(port, query, headers) as raw:
        assert refusal(raw.connect()) == "unusable_auth"
        key = exchange.trusted().api_key
        assert "sid" in raw.connect(json.dumps({"token": key})), "with auth it does not matter"


@pytest.mark.parametrize("key", ["mx_wrong", "\ud800", "mx_é", "x" * 257, "\x00"])
def test_an_unknown_key_is_refused(port, key):
    with raw_socket(port) as raw:
        assert refusal(raw.connect(json.dumps({"token": key}))) == "unauthenticated"


@pytest.mark.parametrize("payload", ["", "null", "{}"])
def test_without_auth_there_is_public_data(port, payload):
    with raw_socket(port) as raw:
        assert "sid" in raw.connect(payload)
        assert raw.emit("subscribe", {"channels": ["stock:PETR4"]})["unknown"] == []


def test_another_namespace_and_a_second_connect_are_refused(port):
    with raw_socket(port) as raw:
        raw.send("40/admin,")
        answer = raw.answer()
        assert answer.startswith("44/admin,")
        assert refusal(json.loads(answer.removeprefix("44/admin,"))) == "unknown_namespace"
        assert "sid" in raw.connect()
        assert refusal(raw.connect()) == "already_connected"
        assert raw.emit("unsubscribe", {"channels": []}) == {"channels": [], "unknown": []}


@pytest.mark.parametrize(
    ("event", "arguments", "code"),
    [
        ("subscribe", [], "malformed_request"),
        ("subscribe", [{"channels": []}, 1], "malformed_request"),
        ("subscribe", [{"channels": ["stock:PETR4"] * 1001}], "malformed_request"),
        ("unsubscribe", ["stock:PETR4"], "malformed_request"),
        ("order", [{"price": 1}], "unknown_event"),
    ],
)
def test_an_event_that_means_nothing_is_acknowledged_with_an_error(port, event, arguments, code):
    with raw_socket(port) as raw:
        raw.connect()
        answer = raw.emit(event, *arguments)
        assert (answer["code"], answer["error"][-1:]) == (code, ".")


def test_channels_that_are_no_text_of_ours_are_named_as_unknown(port):
    with raw_socket(port) as raw:
        raw.connect()
        answer = raw.emit("subscribe", {"channels": ["\ud800", "stock:PETR4", "stock:PETR4", "\x00"]})
        assert (list(answer["channels"]), answer["unknown"]) == (["stock:PETR4"], ["\ud800", "\x00"])


def test_events_of_one_client_are_handled_in_their_order(port):
    with raw_socket(port) as raw:
        raw.connect()
        for number in range(20):
            raw.send(f'42{number}["{"un" * (number % 2)}subscribe",{{"channels":["book:PETR4","stock:PETR4"]}}]')
        assert [raw.answer().partition("[")[0] for _ in range(20)] == [f"43{number}" for number in range(20)]


def test_who_leaves_in_the_middle_leaves_nothing_open(port, connections):
    for data in (b"", b"\x81", b"\x81\xff"):
        raw = RawSocket(port)
        raw.socket.sock.sendall(data)
        raw.socket.sock.shutdown(socket.SHUT_RDWR)
        raw.socket.shutdown()
    until(lambda: connections() == [], "no connection is left")
