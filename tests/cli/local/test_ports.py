"""Given ports that are free or taken, then these are listened on, or this error is shown."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Iterator

import pytest

from cli.local.ports import with_free_ports
from cli.terminal import CommandError
from embedded.ports import is_free, random_free_port
from settings.sections import Live, Settings, Web


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def with_ports(web: int, live: int) -> Settings:
    return dataclasses.replace(Settings(), web=Web(port=web), live=Live(port=live))


def test_a_taken_port_is_told_with_its_holder_and_what_to_do(taken: int) -> None:
    with pytest.raises(CommandError) as error:
        with_free_ports(Settings(), taken)
    what, mend = error.value.text().splitlines()
    assert what.startswith(f"✗ Port {taken} is taken by ")
    assert f"(pid {os.getpid()})" in what
    assert mend.startswith("  minex up --port ")
    assert mend.endswith("    or    minex doctor")


def test_port_zero_takes_a_free_one_and_live_the_next() -> None:
    settings = with_free_ports(Settings(), 0)
    assert settings.web.port >= 8000
    assert settings.live.port > settings.web.port
    assert is_free(settings.web.port)


def test_the_port_of_the_command_line_moves_live_too() -> None:
    port = random_free_port()
    settings = with_free_ports(with_ports(8000, 9000), port)
    assert settings.web.port == port
    assert port < settings.live.port < port + 50


def test_the_settings_ports_are_taken_as_they_are() -> None:
    web, live = random_free_port(), random_free_port()
    settings = with_free_ports(with_ports(web, live), None)
    assert (settings.web.port, settings.live.port) == (web, live)


def test_live_steps_aside_when_its_port_is_taken(taken: int) -> None:
    settings = with_free_ports(with_ports(random_free_port(), taken), None)
    assert settings.live.port > taken
