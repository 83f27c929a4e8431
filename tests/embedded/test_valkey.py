"""Given an embedded Valkey, when it dies, then it is back on the same address with what it had."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from embedded.socket_path import socket_path
from embedded.valkey import ValkeyServer
from machine.account import Account
from queues.permissions import OPERATOR, PROCESSES


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
    (path,) = (server.folder / "socket").iterdir()
    with (
        redis.Redis(unix_socket_path=str(path), retry=Retry(NoBackoff(), 0)) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_no_password_is_on_the_command_line_and_none_tells_another(server: ValkeyServer) -> None:
    shown = " ".join(psutil.Process(server.pid).cmdline())
    passwords = [server.password, *(server.password_of(user) for user in (OPERATOR, *PROCESSES))]
    assert [password for password in passwords if password in shown] == []
    assert len(set(passwords)) == len(passwords)


def test_no_stranger_reaches_it(server: ValkeyServer) -> None:
    assert psutil.Process(server.pid).net_connections("inet") == []
    (path,) = (server.folder / "socket").iterdir()
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_no_other_account_can_knock(server: ValkeyServer) -> None:
    (path,) = (server.folder / "socket").iterdir()
    knock = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    account = pwd.getpwnam("daemon")
    done = subprocess.run(
        ["python3", "-I", "-c", knock, str(path)],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PermissionError" in done.stderr, done


def folder_made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_a_folder_that_is_too_deep_for_a_socket(make_server_folder: Callable[[], Path]) -> None:
    """A short one stands in for it, which a start finds again after its server and its owner were killed."""
    folder = make_server_folder() / ("deep" * 25) / "valkey"
    left = socket_path("valkey", folder_made(folder), Account.of_exchange()).parent
    with ValkeyServer(folder) as server:
        url, place = server.url, Path((folder / "socket-folder").read_text().strip())
        assert place == left
        assert (place.stat().st_mode & 0o777, place.stat().st_uid) == (0o700, (folder / "data").stat().st_uid)
        server.kill()
        server.start()
        assert server.url == url
        server.kill()
    assert not place.exists()


def test_a_stop_leaves_no_process_and_a_start_keeps_the_address(server: ValkeyServer) -> None:
    url, pid = server.url, server.pid
    server.stop()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    server.start()
    assert server.url == url
