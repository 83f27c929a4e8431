"""Given an embedded PostgreSQL, when it or its owner dies, then nothing committed is lost and it starts again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import psycopg
import pytest

from embedded.errors import EmbeddedServerError, FolderTakenError, PortTakenError, ServerStartError
from embedded.postgres import PostgresServer
from embedded.postgres_settings import configuration
from machine.process import inhabitants
from settings.loading import ROOT


@pytest.fixture(scope="module")
def shared(make_server_folder: Callable[[], Path]) -> Iterator[PostgresServer]:
    with PostgresServer(make_server_folder() / "postgres") as server:
        yield server


@pytest.fixture
def durable(shared: PostgresServer) -> PostgresServer:
    """With fsync, and up again whatever the test before did to it."""
    return shared.start()


def count(server: PostgresServer, table: str) -> int:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row is not None
        return int(row[0])


def has_ended(pid: int) -> bool:
    """A zombie has ended; whoever its orphan fell to may be slow to look."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_was_committed_survives_sigkill(durable: PostgresServer) -> None:
    url = durable.url
    connection = psycopg.connect(url)
    connection.execute("CREATE TABLE kept (number int)")
    for number in range(50):
        connection.execute("INSERT INTO kept VALUES (%s)", [number])
        connection.commit()
    connection.execute("INSERT INTO kept VALUES (999)")  # never committed
    durable.kill()
    assert not durable.is_alive()
    assert durable.pid is None
    connection.close()
    durable.start()
    assert durable.url == url
    assert count(durable, "kept") == 50


def test_a_stop_and_a_start_keep_port_password_and_rows(durable: PostgresServer) -> None:
    url = durable.url
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE restarted AS SELECT 1 AS number")
    durable.stop()
    again = PostgresServer(durable.folder).start()
    try:
        assert again.url == url
        assert count(again, "restarted") == 1
    finally:
        again.stop()
    durable.start()


def test_settings_are_those_of_an_exchange(durable: PostgresServer) -> None:
    with psycopg.connect(durable.url) as connection:
        for name, value in [("fsync", "on"), ("synchronous_commit", "on"), ("TimeZone", "UTC")]:
            assert connection.execute(f"SHOW {name}").fetchone() == (value,)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (True,)


@pytest.mark.parametrize(
    ("system", "release", "method"),
    [("Linux", "6.18.44-fc", "syncfs"), ("Linux", "5.7.0", "fsync"), ("Darwin", "23.6.0", "fsync")],
)
def test_a_recovery_begins_with_one_call_where_that_tells_of_errors(
    system: str, release: str, method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(sysname=system, release=release))
    text = configuration(tmp_path, 1, preload_statistics=False, overrides={})
    assert f"recovery_init_sync_method = '{method}'" in text


def test_a_wrong_password_is_refused_and_the_right_one_is_private(durable: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(durable.url.replace(durable.password, "guess"))
    assert stat.S_IMODE((durable.folder / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(durable.data.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the server to another account")
def test_as_root_the_server_runs_unprivileged(durable: PostgresServer) -> None:
    assert psutil.Process(durable.pid).uids().real != 0


def test_a_pid_file_with_a_stranger_in_it_is_no_obstacle(durable: PostgresServer) -> None:
    durable.stop()
    pid_file = durable.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{durable.data}\n{int(time.time())}\n{durable.port}\n\n127.0.0.1\n")
    os.chown(pid_file, durable.data.stat().st_uid, -1)
    durable.start()
    assert durable.is_alive()


def test_a_second_owner_of_the_folder_is_refused(durable: PostgresServer) -> None:
    other = PostgresServer(durable.folder)
    taken = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + (
        "from pathlib import Path; from embedded.postgres import PostgresServer\n"
        f"PostgresServer(Path({str(durable.folder)!r})).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", taken], check=False, capture_output=True, text=True)
    assert "FolderTakenError" in done.stderr
    assert f"pid {os.getpid()}" in done.stderr
    with pytest.raises(FolderTakenError):
        other.start()
    assert durable.is_alive()


def test_a_taken_port_that_was_asked_for_is_an_error(
    durable: PostgresServer, make_server_folder: Callable[[], Path]
) -> None:
    with pytest.raises(PortTakenError, match=str(durable.port)):
        PostgresServer(make_server_folder() / "postgres", port=durable.port).start()


def test_who_knocks_and_says_nothing_is_sent_away(make_server_folder: Callable[[], Path]) -> None:
    """By default he would keep all others out for a minute."""
    few = {"max_connections": "20", "superuser_reserved_connections": "3", "fsync": "off"}
    with PostgresServer(make_server_folder() / "postgres", settings=few) as server, contextlib.ExitStack() as strangers:
        for _ in range(200):
            strangers.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            psycopg.connect(server.url)
        until = time.monotonic() + 40
        while not lets_in(server):
            assert time.monotonic() < until


def lets_in(server: PostgresServer) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(server.url).close()
        return True
    return False


def test_a_wrong_setting_is_told_with_the_servers_own_words(make_server_folder: Callable[[], Path]) -> None:
    server = PostgresServer(make_server_folder() / "postgres", settings={"max_connections": "many"})
    with pytest.raises(ServerStartError, match="invalid value for parameter"):
        server.start()
    assert not server.is_alive()
    assert issubclass(ServerStartError, EmbeddedServerError)


OWNER = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from embedded.postgres import PostgresServer
import embedded.server
{extra}
server = PostgresServer(Path({folder!r})).start()
print(server.pid, server.url, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    """Whether the process does anything any more; one that ended may wait a while for whoever inherited it."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("tied", [True, False], ids=["ends-with-its-owner", "outlives-its-owner"])
def test_a_start_after_the_owner_was_killed(make_server_folder: Callable[[], Path], tied: bool) -> None:
    folder = make_server_folder() / "postgres"
    extra = "" if tied else "embedded.server.die_with_parent = lambda number: None"
    script = OWNER.format(root=str(ROOT), folder=str(folder), extra=extra)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, url = owner.stdout.readline().split()
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        owner.send_signal(signal.SIGKILL)
    with PostgresServer(folder) as server:
        assert server.url == url
        assert server.pid != int(pid)
        assert not is_running(int(pid))
        assert count(server, "kept") == 1
        assert inhabitants("postgres", server.data)[0].pid == server.pid
    assert inhabitants("postgres", server.data) == []
