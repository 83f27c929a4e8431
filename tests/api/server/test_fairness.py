"""Whatever one client does, however fast: all others are served."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.api.server.running import GET, Server

HEADER = b"X-Padding: " + b"a" * 4_000 + b"\r\n"


@pytest.fixture(scope="module")
def server(database_url: str, redis_url: str) -> Iterator[Server]:
    """A running server with room for forty connections, of which an address may have thirty."""
    web = {"connections": 40, "connections_of_address": 30}
    server = Server(database_url, redis_url, web=web)
    server.wait_until_it_answers()
    yield server
    server.stop()


@contextlib.contextmanager
def flood(server: Server, send: Callable[[socket.socket], None]) -> Iterator[None]:
    """Beside the block, a client sends as fast as it can, and another of its threads reads and forgets the answers."""
    over = threading.Event()

    def attack() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError), server.connect() as client:
                reader = threading.Thread(target=swallow, args=[client])
                reader.start()
                try:
                    while not over.is_set():
                        send(client)
                finally:
                    with contextlib.suppress(OSError):
                        client.shutdown(socket.SHUT_RDWR)
                    reader.join()

    def swallow(client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while client.recv(1_000_000):
                continue

    thread = threading.Thread(target=attack)
    thread.start()
    time.sleep(0.3)
    try:
        yield
    finally:
        over.set()
        thread.join()


def crumbs(client: socket.socket) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in GET * 3:
        client.sendall(bytes([byte]))


FLOODS: dict[str, Callable[[socket.socket], None]] = {
    "one request after the other": lambda client: client.sendall(GET * 1_000),
    "unknown paths": lambda client: client.sendall(GET.replace(b"/api/v1/time", b"/none") * 1_000),
    "heads that are large": lambda client: client.sendall(GET[:-2] + HEADER * 7 + b"\r\n"),
    "heads without an end": lambda client: client.sendall(GET[:-2] + HEADER * 100),
    "crumbs": crumbs,
    "nonsense, on and on": lambda client: client.sendall(b"\x00" * 1_000_000),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_holds_up_nobody_else(server: Server, name: str) -> None:
    """The flood goes on until they are answered: without turns they would wait for its end, and in vain.

    How long they wait is measured by `bench hostile`.
    """
    with flood(server, FLOODS[name]):
        server.slowest(30)
    server.slowest()


def test_a_head_of_more_than_32_kb_is_431(server: Server) -> None:
    assert server.statuses(GET[:-2] + HEADER * 9 + b"\r\n") == [431]
    assert server.statuses(GET[:-2] + HEADER * 7 + b"Connection: close\r\n\r\n") == [200]


def test_answers_to_pipelined_requests_come_in_their_order(server: Server) -> None:
    paths = [b"/api/v1/time", b"/none"] * 20
    requests = b"".join(GET.replace(b"/api/v1/time", path) for path in paths)
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert server.statuses(requests + last) == [200, 404] * 20 + [200]


class TestWhenAllPlacesAreTaken:
    """A new connection is taken; the one that has been silent for longest goes for it."""

    @pytest.mark.parametrize("so_far", [b"", GET[:-1], GET])
    def test_the_longest_silent_goes(self, server: Server, so_far: bytes) -> None:
        with contextlib.ExitStack() as stack:
            clients = []
            for _ in range(35):
                clients.append(stack.enter_context(server.connect()))
                clients[-1].sendall(so_far)
                server.slowest(1)  # who is answered was heard after that
            server.slowest(3)
            time.sleep(0.1)
            gone = [closed(client) for client in clients]
        assert sum(gone) in range(6, 10)
        assert gone == sorted(gone, reverse=True)

    def test_those_of_another_address_stay(self, server: Server) -> None:
        with contextlib.ExitStack() as stack:
            others = [stack.enter_context(server.connect("127.0.0.2")) for _ in range(5)]
            for client in others:
                client.sendall(GET)
                client.recv(65_536)
            for _ in range(60):
                stack.enter_context(server.connect()).sendall(GET)
            time.sleep(0.1)
            for client in others:
                client.sendall(GET)
                assert client.recv(65_536).startswith(b"HTTP/1.1 200")

    def test_where_all_of_them_are_busy_a_new_one_is_told_so(self, server: Server) -> None:
        head = b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
        head += b"Authorization: Bearer unknown\r\nExpect: 100-continue\r\n\r\n"
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(30)]
            for client in clients:
                client.sendall(head)
            for client in clients:
                assert client.recv(65_536).startswith(b"HTTP/1.1 100 Continue")
            answer = server.ask(GET)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in answer
        assert b'"code":"busy"' in answer
        server.wait_until_it_answers()


def closed(client: socket.socket) -> bool:
    """Whether the server has ended it."""
    client.setblocking(False)
    try:
        while data := client.recv(65_536):
            continue
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return not data
