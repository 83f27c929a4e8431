"""Given an embedded Valkey, when it dies, then it is back on the same address with what it had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from embedded.valkey import ValkeyServer


@pytest.fixture(scope="module")
def server(make_server_folder: Callable[[], Path]) -> Iterator[ValkeyServer]:
    with ValkeyServer(make_server_folder() / "valkey") as running:
        yield running


def test_a_key_survives_sigkill_after_a_second(server: ValkeyServer) -> None:
    url = server.url
    with redis.Redis.from_url(url) as client:
        client.set("symbol", "PETR4")
        client.waitaof(1, 0, 3000)
    server.kill()
    server.start()
    assert server.url == url
    with redis.Redis.from_url(url, decode_responses=True) as client:
        assert client.get("symbol") == "PETR4"


def test_without_the_password_nothing_is_told(server: ValkeyServer) -> None:
    with (
        redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_the_password_is_not_on_the_command_line(server: ValkeyServer) -> None:
    assert server.password not in " ".join(psutil.Process(server.pid).cmdline())


def test_a_stop_leaves_no_process_and_a_start_keeps_the_address(server: ValkeyServer) -> None:
    url, pid = server.url, server.pid
    server.stop()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    server.start()
    assert server.url == url
