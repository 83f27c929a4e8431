"""Given variables and headers by which gunicorn can be told things, when it serves, then it believes none of them."""

from __future__ import annotations

import dataclasses
import socket
import time
from collections.abc import Iterator

import psutil
import pytest

from embedded.run import RunProcess, RunProcesses
from machine.ports import random_free_port
from settings.processes import Live, Web
from settings.sections import Redis, Settings
from tests.roles import with_roles

VARIABLES = {
    "GUNICORN_CMD_ARGS": "--workers 3 --forwarded-allow-ips *",
    "WEB_CONCURRENCY": "3",
    "FORWARDED_ALLOW_IPS": "*",
    "SCRIPT_NAME": "/api/v1",
}
HEADERS = {
    "a path": b"PATH_INFO: /health",
    "a prefix": b"SCRIPT_NAME: /nowhere",
    "a scheme": b"X-Forwarded-Proto: https",
    "another scheme": b"X-Forwarded-Ssl: off\r\nX-Forwarded-Proto: https",
    "an address": b"X-Forwarded-For: 192.0.2.1",
    "a host": b"X-Forwarded-Host: evil.example",
}
"""By default gunicorn takes from 127.0.0.1 what the first four say; the fourth is refused with 400 there."""


@pytest.fixture(scope="module")
def processes(new_database, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunProcesses]:
    settings = dataclasses.replace(
        with_roles(Settings(), new_database()),
        redis=Redis(url=redis_url),
        web=Web(port=random_free_port(), processes=1),
        live=Live(port=random_free_port()),
    )
    running = RunProcesses(settings, tmp_path_factory.mktemp("processes"))
    yield running
    running.kill_all()


@pytest.fixture(scope="module", params=["web", "live"])
def served(request: pytest.FixtureRequest, processes: RunProcesses) -> tuple[RunProcess, int]:
    """A process and its port; it answers."""
    process = processes.start(request.param, **VARIABLES)
    port = getattr(processes.settings, request.param).port
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline, process.log.read_text()
        try:
            ask(port, b"X: y")
            return process, port
        except OSError:
            time.sleep(0.1)


def ask(port: int, header: bytes, path: bytes = b"/health") -> bytes:
    """The answer to a request with this header, all of it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n\r\n" % (path, header))
        answer = b""
        while more := client.recv(65_536):
            answer += more
    return answer


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_headers_change_neither_path_nor_scheme(served: tuple[RunProcess, int], header: bytes) -> None:
    _, port = served
    assert ask(port, header).startswith(b"HTTP/1.1 200")
    assert ask(port, header, b"/nothing/here").startswith(b"HTTP/1.1 404")


def test_variables_change_nothing_and_the_log_says_so_once(served: tuple[RunProcess, int]) -> None:
    process, _ = served
    said = [line for line in process.log.read_text().splitlines() if "not obeyed" in line]
    assert len(said) == 1
    assert all(name in said[0] for name in VARIABLES)
    assert len(psutil.Process(process.popen.pid).children()) == 1
