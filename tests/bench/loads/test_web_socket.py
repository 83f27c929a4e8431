"""A subscriber finds every sequence in whatever pieces the bytes arrive, and answers pings."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from bench.loads.web_socket import PING, PONG, Subscriber, frame


def told(sequence: int) -> bytes:
    """A server's frame with one trade."""
    text = (
        f'42["TRADE_EXECUTED",{{"symbol":"S0000","sequence":{sequence},"trade_id":{sequence},"price":10000}}]'.encode()
    )
    return bytes((0x81, len(text))) + text


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Subscriber]]:
    """The server's end of a connection, and the subscriber that has entered through it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended: list[socket.socket] = []

        def serve() -> None:
            server, _ = listener.accept()
            ended.append(server)
            for answer in (
                b'\x81\x1a0{"pingInterval":25000}',
                b'\x81\x1040{"sid":"x"}',
                b'\x81\x10430[{"channels":{}}]',
            ):
                server.recv(4096)
                server.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        subscriber = Subscriber(listener.getsockname()[1], "S0000", most=10)
        thread.join()
        yield ended[0], subscriber
        ended[0].close()
        subscriber.socket.close()


def received(subscriber: Subscriber, wanted: int) -> list[int]:
    """Wait until so many sequences have come."""
    sequences: list[int] = []
    while len(sequences) < wanted and not subscriber.closed:
        sequences += subscriber.receive()
    return sequences


def test_a_frame_is_masked() -> None:
    assert frame("3") == b"\x81\x81\x00\x00\x00\x003"
    assert frame("x" * 126) == b"\x81\xfe\x00\x7e\x00\x00\x00\x00" + b"x" * 126
    assert frame("", 0x89) == b"\x89\x80\x00\x00\x00\x00"


def test_sequences_are_found_however_the_bytes_are_cut(ends: tuple[socket.socket, Subscriber]) -> None:
    server, subscriber = ends
    stream = told(1) + told(2) + PING + told(3)
    for cut in range(0, len(stream), 7):
        server.sendall(stream[cut : cut + 7])
    assert received(subscriber, 3) == [1, 2, 3]
    assert server.recv(100) == frame(PONG)
    assert (subscriber.lost(3), subscriber.repeated) == (0, 0)


def test_what_never_came_is_lost_and_what_came_twice_is_counted(ends: tuple[socket.socket, Subscriber]) -> None:
    server, subscriber = ends
    server.sendall(told(1) + told(3) + told(3))
    received(subscriber, 3)
    assert subscriber.lost(4) == 2
    assert subscriber.repeated == 1


def test_a_subscriber_that_is_cut_off_says_so(ends: tuple[socket.socket, Subscriber]) -> None:
    server, subscriber = ends
    server.close()
    assert received(subscriber, 1) == []
    assert subscriber.closed
