"""The REST process as it runs, spoken to through raw sockets: slow, broken and hostile clients."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from tests.api.server.running import DEADLINE_SECONDS, GET, Server
from tests.api.venue import ADMIN_KEY

BODY = b'{"name":"Q"}'
HEADERS = f"Host: x\r\nAuthorization: Bearer {ADMIN_KEY}\r\nContent-Type: application/json\r\n".encode()
CLOSING = b"GET /api/v1/time HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n"


def post(*headers: bytes, body: bytes = BODY) -> bytes:
    """A request that registers a broker, with these headers more."""
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST /api/v1/register HTTP/1.1\r\n" + HEADERS + length + b"".join(headers) + b"\r\n" + body


@pytest.fixture(scope="module")
def server(database_url: str, redis_url: str) -> Iterator[Server]:
    """A running server with a deadline of one second."""
    server = Server(database_url, redis_url)
    server.wait_until_it_answers()
    yield server
    if server.process.poll() is None:
        server.stop(signal.SIGKILL)


def test_an_ordinary_request(server: Server) -> None:
    assert server.statuses(post(b"Connection: close\r\n")) == [201]


@pytest.mark.parametrize("slow", [post()[:-5], post()[:60], b"GET", GET[:-1]])
def test_what_does_not_arrive_in_time_is_408(server: Server, slow: bytes) -> None:
    answer = server.ask(slow)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body_too_slow"' in answer


def test_trickling_does_not_help(server: Server) -> None:
    assert server.statuses(post()[:-12], *[b" "] * 40, pause=0.1) in ([408], [])


def test_a_request_in_pieces_is_one_request(server: Server) -> None:
    request = post(b"Connection: close\r\n")
    pieces = [request[n : n + 40] for n in range(0, len(request), 40)]
    assert server.statuses(*pieces, pause=0.05) == [201]


def test_a_client_that_waits_for_permission(server: Server) -> None:
    request = post(b"Expect: 100-continue\r\n", b"Connection: close\r\n")
    statuses = server.statuses(request[: -len(BODY)], BODY, pause=0.3)
    assert statuses[0] == 100
    assert statuses[-1] == 201


class TestOthersAreUnharmed:
    """Many bad clients, and everybody else is served at once."""

    @pytest.mark.parametrize("request_so_far", [b"", b"GET /", post()[:-1], post(b"Expect: 100-continue\r\n")[:-12]])
    def test_by_half_requests(self, server: Server, request_so_far: bytes) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                stack.enter_context(server.connect()).sendall(request_so_far)
            assert server.slowest() < 0.9 * DEADLINE_SECONDS

    def test_by_those_who_do_not_close(self, server: Server) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                stack.enter_context(server.connect()).sendall(CLOSING)
            assert server.slowest() < 0.9 * DEADLINE_SECONDS

    def test_by_those_who_do_not_fetch(self, server: Server) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(8):
                client = stack.enter_context(server.connect())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                client.setblocking(False)
                large = GET.replace(b"/api/v1/time", b"/docs/assets/swagger-ui-bundle.js")
                with contextlib.suppress(BlockingIOError):
                    for _ in range(500):
                        client.send(large)
            time.sleep(0.5)
            assert server.slowest() < 1

    def test_by_those_who_announce_much_and_send_nothing(self, server: Server) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                request = post().replace(b"Content-Length: 12", b"Content-Length: 99999999")
                stack.enter_context(server.connect()).sendall(request)
            assert server.slowest() < 0.9 * DEADLINE_SECONDS


def test_a_large_answer_arrives_whole(server: Server) -> None:
    request = GET.replace(b"/api/v1/time", b"/docs/assets/swagger-ui-bundle.js").replace(
        b"Host", b"Connection: close\r\nHost"
    )
    with server.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.sendall(request)
        time.sleep(0.3)
        answer = b""
        while more := client.recv(1_000_000):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    assert int(re.search(rb"Content-Length: (\d+)", head)[1]) == len(body) > 1_000_000


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (post().replace(b"Content-Length: 12", b"Transfer-Encoding: chunked"), 411),
        (post(body=b"zz\r\nnonsense").replace(b"Content-Length: 12", b"Transfer-Encoding: chunked"), 411),
        (post(b"Transfer-Encoding: chunked\r\n"), 400),
        (post(b"Transfer-Encoding: identity\r\n"), 400),
        (post().replace(b"Content-Length: 12", b"Transfer-Encoding: xchunked"), 501),
        (post(b"Content-Length: 13\r\n"), 400),
        (post(b"Content-Length: 12\r\n"), 400),
        (post().replace(b"Content-Length: 12", b"Content-Length: +12"), 400),
        (post().replace(b"Content-Length: 12", b"Content-Length: 12, 12"), 400),
        (post().replace(b"Content-Length: 12", b"Content-Length: -1"), 400),
        (post().replace(b"Content-Length: 12", b"Content-Length : 12"), 400),
        (post(b"Host: y\r\n"), 400),
        (GET.replace(b"\r\n", b"\n"), 400),
        (GET.replace(b"Host: x\r\n", b"Host: x\nX-A: b\r\n"), 400),
        (GET.replace(b"Host: x\r\n", b"Host: x\r\n folded\r\n"), 400),
        (GET.replace(b"Host: x\r\n", b"Host: x\r\nX-A: b\x00c\r\n"), 400),
        (GET.replace(b"Host: x\r\n", b"Host: x\r\nX A: b\r\n"), 400),
        (GET.replace(b"HTTP/1.1", b"HTTP/9.9"), 400),
        (GET.replace(b"/api/v1/time", b"/" + b"a" * 5_000), 414),
        (GET.replace(b"Host: x\r\n", b"Host: x\r\nX-A: " + b"b" * 70_000 + b"\r\n"), 431),
        (GET.replace(b"Host: x\r\n", b"Host: x\r\n" + b"X-A: b\r\n" * 200), 431),
        (b"\r\n\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n\n", 400),
    ],
)
def test_what_is_ambiguous_is_refused_and_the_connection_closed(
    server: Server, request_bytes: bytes, status: int
) -> None:
    answer = server.ask(request_bytes + GET, patience=3)
    assert re.findall(rb"HTTP/1\.1 (\d{3}) ", answer) == [str(status).encode()]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head
    problem = json.loads(body)
    assert problem["status"] == status
    assert f'<tr id="{problem["code"]}">'.encode() in server.ask(CLOSING.replace(b"/api/v1/time", b"/docs/errors"))
    assert problem["request_id"] in head.decode()


def test_a_request_without_a_host_is_refused(server: Server) -> None:
    assert server.statuses(CLOSING.replace(b"Host: x\r\n", b"")) == [400]


def test_a_body_beyond_the_limit_is_not_waited_for(server: Server) -> None:
    request = post().replace(b"Content-Length: 12", b"Content-Length: 70000")
    assert server.statuses(request) == [413]
    assert server.statuses(request + b"x" * 70_000 + GET) == [413]


def test_a_refused_bodys_bytes_are_never_taken_for_a_request(server: Server) -> None:
    smuggled = GET.replace(b"/api/v1/time", b"/smuggled")
    request = post(body=smuggled).replace(b"Bearer", b"Basic")
    assert server.statuses(request + CLOSING) == [401, 200]


CANCEL = b"DELETE /api/v1/orders/1 HTTP/1.1\r\n" + HEADERS


class TestAnEarlyAnswer:
    """RFC 9112, 9.6: it is given before the body is read, and says whether the connection stays."""

    @pytest.fixture
    def key(self, server: Server) -> bytes:
        """Of a broker, whose cancels are used up as soon as it has asked for one."""
        return re.search(rb'"api_key":"([^"]+)"', server.ask(post(b"Connection: close\r\n")))[1]

    def refused(self, status: int, key: bytes, announced: int) -> bytes:
        """The head of a request that is refused with that status, before its body of so many bytes."""
        good = post(body=b" " * announced)[:-announced]
        return {
            401: good.replace(b"Bearer", b"Basic"),
            403: good.replace(ADMIN_KEY.encode(), key),
            404: good.replace(b"/register", b"/nowhere"),
            405: good.replace(b"/register", b"/time"),
            415: good.replace(b"application/json", b"text/plain"),
            422: good.replace(b"/register", b"/brokers/1/activate"),
            429: good.replace(b"POST /api/v1/register", b"DELETE /api/v1/orders").replace(ADMIN_KEY.encode(), key),
        }[status]

    def use_up(self, server: Server, key: bytes) -> None:
        """Ask for a cancel, so that the next one within a second is too many."""
        server.statuses(CANCEL.replace(ADMIN_KEY.encode(), key) + b"Connection: close\r\n\r\n")

    @pytest.mark.parametrize("status", [401, 403, 404, 405, 415, 422, 429])
    @pytest.mark.parametrize("pause", [0.0, 0.03])
    def test_keeps_the_connection_when_the_body_is_small_and_comes(
        self, server: Server, key: bytes, status: int, pause: float
    ) -> None:
        self.use_up(server, key)
        answer = server.ask(self.refused(status, key, 9_000), b" " * 9_000 + CLOSING, pause=pause)
        first, second = re.findall(rb"HTTP/1\.1 (\d{3}) .*?\r\nConnection: ([a-z-]+)\r\n", answer, re.DOTALL)
        assert (first, second) == ((b"%d" % status, b"keep-alive"), (b"200", b"close"))

    @pytest.mark.parametrize("status", [401, 403, 404, 405, 415, 422, 429])
    def test_says_that_it_closes_when_the_body_is_not_waited_for(self, server: Server, key: bytes, status: int) -> None:
        self.use_up(server, key)
        answer = server.ask(self.refused(status, key, 60_000) + b" " * 10)
        assert re.findall(rb"HTTP/1\.1 (\d{3}) ", answer) == [b"%d" % status]
        assert b"\r\nConnection: close\r\n" in answer

    @pytest.mark.parametrize(
        ("request_bytes", "status"),
        [
            (post()[:-5], 408),
            (post()[:60], 408),
            (post().replace(b"Content-Length: 12", b"Transfer-Encoding: chunked"), 411),
            (post(body=b" " * 70_000), 413),
        ],
    )
    def test_says_that_it_closes_when_where_the_body_ends_is_unknown_or_far(
        self, server: Server, request_bytes: bytes, status: int
    ) -> None:
        answer = server.ask(request_bytes + (GET if status != 408 else b""), patience=3)
        assert re.findall(rb"HTTP/1\.1 (\d{3}) ", answer) == [b"%d" % status]
        assert b"\r\nConnection: close\r\n" in answer


class TestPipelining:
    """RFC 9112, 9.3.2: answers come in the order of the requests."""

    def test_answers_come_in_order(self, server: Server) -> None:
        last = CLOSING.replace(b"time", b"nowhere")
        assert server.statuses(GET + post() + GET + last) == [200, 201, 200, 404]

    def test_half_a_request_behind_a_whole_one(self, server: Server) -> None:
        assert server.statuses(post() + GET[:20]) == [201, 408]
        assert server.statuses(post() + GET[:20], GET[20:], pause=0.3, patience=1) == [201, 200]


def test_a_connection_is_kept(server: Server) -> None:
    with server.connect() as client:
        for _ in range(5):
            client.sendall(GET)
            assert client.recv(4_096).startswith(b"HTTP/1.1 200")
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/api/v1/stocks/%00", 404),
        (b"/api/v1/stocks/%ff?x=%ff%00", 404),
        (b"/api/v1/orders/%00", 404),
        (b"/%2e%2e/%2e%2e/etc/passwd", 404),
        (b"//", 404),
    ],
)
def test_odd_paths_lead_nowhere(server: Server, path: bytes, status: int) -> None:
    assert server.statuses(CLOSING.replace(b"/api/v1/time", path)) == [status]


def test_it_stops_in_seconds_with_clients_connected(database_url: str, redis_url: str) -> None:
    server = Server(database_url, redis_url)
    server.wait_until_it_answers()
    with contextlib.ExitStack() as stack:
        for request in (b"", GET, GET[:-1]):
            stack.enter_context(server.connect()).sendall(request)
        time.sleep(0.3)
        errors = server.stop()
    assert "Traceback" not in errors
