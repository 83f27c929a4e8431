"""Given ports that are free or taken, then these are listened on at once, or this error is shown."""

from __future__ import annotations

import dataclasses
import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from cli.local.ports import listening
from cli.terminal import CommandError
from machine.ports import is_free, random_free_port
from settings.processes import Live, Web
from settings.sections import Settings


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def with_ports(web: int, live: int) -> Settings:
    return dataclasses.replace(Settings(), web=Web(port=web), live=Live(port=live))


@pytest.fixture
def listen() -> Iterator[Callable[[Settings, int | None], Settings]]:
    """`listening`, whose sockets are closed at the end."""
    opened: list[socket.socket] = []

    def open_both(settings: Settings, port: int | None) -> Settings:
        found, sockets = listening(settings, port)
        opened.extend(sockets.values())
        assert {name: one.getsockname()[1] for name, one in sockets.items()} == {
            "web": found.web.port,
            "live": found.live.port,
        }
        return found

    yield open_both
    for one in opened:
        one.close()


Listen = Callable[[Settings, int | None], Settings]


def test_a_taken_port_is_told_with_its_holder_and_what_to_do(taken: int) -> None:
    with pytest.raises(CommandError) as error:
        listening(Settings(), taken)
    what, mend = error.value.text().splitlines()
    assert what.startswith(f"✗ Port {taken} is taken by ")
    assert f"(pid {os.getpid()})" in what
    assert mend.startswith("  minex up --port ")
    assert mend.endswith("    or    minex doctor")


def test_an_address_of_another_machine_is_told() -> None:
    elsewhere = dataclasses.replace(Settings(), web=Web(host="192.0.2.1", port=8000))
    for port in (0, 8000):
        with pytest.raises(CommandError, match=r"Nothing can listen on port 8000 of 192\.0\.2\.1"):
            listening(elsewhere, port)


def test_port_zero_takes_a_free_one_and_live_the_next(listen: Listen) -> None:
    settings = listen(Settings(), 0)
    assert settings.web.port >= 8000
    assert settings.live.port > settings.web.port
    assert not is_free(settings.web.port)


def test_exchanges_that_start_at_the_same_moment_never_get_the_same_port(listen: Listen) -> None:
    together = threading.Barrier(8)
    found: list[Settings] = []

    def start() -> None:
        together.wait()
        found.append(listen(Settings(), 0))

    starts = [threading.Thread(target=start) for _ in range(8)]
    for one in starts:
        one.start()
    for one in starts:
        one.join()
    ports = [port for settings in found for port in (settings.web.port, settings.live.port)]
    assert len(set(ports)) == len(ports) == 16


def test_the_port_of_the_command_line_moves_live_too(listen: Listen) -> None:
    port = random_free_port()
    settings = listen(with_ports(8000, 9000), port)
    assert settings.web.port == port
    assert port < settings.live.port < port + 50


def test_the_settings_ports_are_taken_as_they_are(listen: Listen) -> None:
    web, live = random_free_port(), random_free_port()
    settings = listen(with_ports(web, live), None)
    assert (settings.web.port, settings.live.port) == (web, live)


def test_live_steps_aside_when_its_port_is_taken(taken: int, listen: Listen) -> None:
    settings = listen(with_ports(random_free_port(), taken), None)
    assert settings.live.port > taken
