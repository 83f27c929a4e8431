"""Given clients who say nothing, then they cost no greenlet, and go when they have been silent for too long."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent.pool import Pool

from serving.entrance import Entrance
from serving.open_connections import OpenConnections

Open = Callable[..., Entrance]


class Served:
    """What was handed on."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.others = OpenConnections(3, 2)
        self.pool = Pool(10)

    def __call__(self, client: Any, address: Any) -> None:
        self.said.append(client.recv(100))
        client.close()


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
def opened(served: Served) -> Iterator[Open]:
    entrances = []

    def make(seconds: float = 60.0) -> Entrance:
        listener = gevent.socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(True)
        entrances.append(Entrance(listener, served, served.pool, served.others, seconds))
        entrances[-1].start()
        return entrances[-1]

    yield make
    for entrance in entrances:
        entrance.close()


def client_of(entrance: Entrance) -> socket.socket:
    client = socket.create_connection(entrance.address, 5)
    gevent.sleep(0.02)
    return client


def ended(client: socket.socket) -> bool:
    with client:
        return client.recv(1) == b""


def test_who_says_something_is_served(opened: Open, served: Served) -> None:
    with client_of(opened()) as client:
        assert (len(served.pool), len(list(served.others))) == (0, 1)
        client.sendall(b"hello")
        gevent.sleep(0.02)
        assert served.said == [b"hello"]
        assert list(served.others) == []


def test_who_is_silent_for_too_long_goes(opened: Open, served: Served) -> None:
    client = client_of(opened(seconds=0.05))
    gevent.sleep(0.1)
    assert ended(client)
    assert (served.said, list(served.others)) == ([], [])


def test_the_longest_silent_one_goes_for_another(opened: Open, served: Served) -> None:
    entrance = opened()
    first, second, third = (client_of(entrance) for _ in range(3))
    assert ended(first)
    assert (len(list(served.others)), len(served.pool)) == (2, 0)
    for client in (second, third):
        client.sendall(b"still here")
        gevent.sleep(0.02)
        client.close()
    assert served.said == [b"still here"] * 2


def test_where_too_many_are_served_already_it_is_closed(
    opened: Open, served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    served.pool = Pool(1)
    client = client_of(opened())
    busy = served.pool.spawn(gevent.sleep, 60)
    client.sendall(b"hello")
    gevent.sleep(0.02)
    with client, pytest.raises(ConnectionResetError):
        client.recv(1)
    busy.kill()
    assert (served.said, list(served.others), capfd.readouterr().err) == ([], [], "")


def test_when_the_server_stops_they_go(opened: Open, served: Served) -> None:
    client = client_of(opened())
    for silent in served.others:
        silent.close_if_idle()
    assert ended(client)
    assert list(served.others) == []
