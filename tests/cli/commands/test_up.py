"""One story of the whole exchange on this machine: up, used, killed, up again, down; nothing lost, nothing left."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from machine.account import Account
from settings.loading import ROOT

USERS = {"web": "web", "live": "live", "match-A": "match", "clock": "clock"}
"""The user of Redis that each process is."""


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MINEX_")} | {
        "PYTHONPATH": str(ROOT),
        "MINEX_SIMULATOR_ENABLED": "false",
    }


def minex(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=120)


def up(folder: Path, *more: str) -> dict[str, Any]:
    done = minex("up", "--detach", "--port", "0", "--json", "--data-folder", str(folder), *more)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def status(folder: Path) -> dict[str, Any]:
    return dict(json.loads(minex("status", "--json", "--data-folder", str(folder)).stdout))


def processes_of(folder: Path) -> list[int]:
    """Whatever runs for this data folder: its processes by their settings, its servers by where they work."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and (
                process.environ().get("MINEX_DATA_FOLDER") == str(folder) or process.cwd().startswith(f"{folder}/")
            ):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def folder(make_server_folder: Callable[[], Path]) -> Iterator[Path]:
    place = make_server_folder() / "exchange"
    yield place
    minex("down", "--data-folder", str(place))
    assert processes_of(place) == []


def test_the_life_of_an_exchange(folder: Path) -> None:
    first = up(folder)
    assert requests.get(first["health_url"], timeout=5).status_code == 200
    assert len(first["brokers"]) == 3
    assert first["admin_key"]

    if shutil.which("curl"):
        text = minex("up", "--data-folder", str(folder))
        assert text.returncode == 0
        assert text.stdout.startswith(f"Minex is already up: {first['url']}")
        order = {"document_number": "52998224725", "side": "bid", "symbol": "PETR4", "quantity": 100, "price": 3500}
        command = (
            f"curl -sS -X POST {first['url']}/api/v1/orders -H 'Authorization: Bearer {first['brokers'][0]['api_key']}'"
            f" -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(order))}"
        )
        answer_text = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
        assert json.loads(answer_text)["order_id"] == 1

    state = status(folder)
    assert state["state"] == "running"
    assert [process["name"] for process in state["processes"]][:2] == ["postgres", "valkey"]
    assert all(process["healthy"] for process in state["processes"])
    assert (state["url"], state["live_url"]) == (first["url"], first["live_url"])

    shown = minex("rq", "--data-folder", str(folder), "info", "--raw")
    assert (shown.returncode, "worker match-A-" in shown.stdout) == (0, True), shown
    assert {name: _redis_user(folder, name) for name in USERS} == USERS
    account = Account.of_exchange()
    started = [psutil.Process(process["pid"]) for process in status(folder)["processes"]]
    running = {process for one in started for process in (one, *one.children(recursive=True))}
    assert {process.uids() for process in running} == {(account.uid or os.getuid(),) * 3}

    for name in ("valkey", "match-A", "postgres"):
        victim = next(process["pid"] for process in status(folder)["processes"] if process["name"] == name)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: status(folder)["state"] == "degraded" or _restarts(folder) > 0)
    wait_for(lambda: status(folder)["state"] == "running" and _restarts(folder) >= 3)
    wait_for(lambda: requests.get(first["health_url"], timeout=5).json()["status"] == "up")

    os.kill(first["pid"], signal.SIGKILL)
    wait_for(lambda: not status(folder)["running"])
    second = up(folder)
    assert second["brokers"] == first["brokers"]
    assert second["admin_key"] is None
    assert second["pid"] != first["pid"]

    done = minex("down", "--data-folder", str(folder))
    assert done.stdout.startswith("Minex has stopped.")
    assert processes_of(folder) == []


def _redis_user(folder: Path, name: str) -> str | None:
    """As whom the process comes to Redis."""
    pid = next(process["pid"] for process in status(folder)["processes"] if process["name"] == name)
    return urlsplit(psutil.Process(pid).environ()["MINEX_REDIS_URL"]).username


def _restarts(folder: Path) -> int:
    return sum(process["restarts"] for process in status(folder)["processes"])


def test_a_taken_port_is_told_in_two_lines(folder: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        for mode in ([], ["--detach"]):
            done = minex("up", "--port", str(port), "--data-folder", str(folder), *mode)
            assert done.returncode == 1
            what, mend = done.stderr.strip().splitlines()
            assert what.startswith(f"✗ Port {port} is taken by ")
            assert mend.startswith("  minex up --port ")
    assert processes_of(folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_stops_everything(folder: Path, number: int) -> None:
    command = [sys.executable, "-m", "cli", "up", "--port", "0", "--data-folder", str(folder)]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert any("Minex is up: http://127.0.0.1:" in line for line in iter(process.stdout.readline, ""))
        process.send_signal(number)
        process.communicate(timeout=15)
        assert process.returncode == 0
    assert processes_of(folder) == []


def test_the_address_does_not_keep_a_pipe_open(folder: Path) -> None:
    command = (
        f"{shlex.quote(sys.executable)} -m cli up --detach --port 0 --data-folder {shlex.quote(str(folder))} | cat"
    )
    done = subprocess.run(
        ["sh", "-c", command], env=environment(), capture_output=True, text=True, timeout=60, check=True
    )
    assert "http://127.0.0.1:" in done.stdout
    minex("down", "--data-folder", str(folder))


def test_the_exchange_outlives_the_terminal_that_it_was_started_from(folder: Path) -> None:
    terminal, ours = pty.openpty()
    command = [sys.executable, "-m", "cli", "up", "--detach", "--port", "0", "--data-folder", str(folder)]
    with subprocess.Popen(
        command,
        env=environment(),
        stdin=ours,
        stdout=ours,
        stderr=ours,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - as a shell does it
    ) as starter:
        os.close(ours)
        wait_for(lambda: status(folder)["running"])
        os.close(terminal)  # the kernel sends SIGHUP to all who belong to it
        starter.wait(30)
    wait_for(lambda: status(folder).get("state") == "running", 60)
    assert requests.get(f"{status(folder)['url']}/health", timeout=5).status_code == 200
    assert "Traceback" not in (folder / "log" / "up.log").read_text()


def test_down_ends_no_process_that_somebody_else_has_written_into_a_lock(folder: Path) -> None:
    folder.mkdir()
    lock = folder / "up.lock"
    with subprocess.Popen(["sleep", "600"]) as victim:
        try:
            lock.write_text(f"{victim.pid} 12345.0\n")
            with lock.open() as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                found = minex("down", "--data-folder", str(folder))
            assert (found.returncode, victim.poll()) == (1, None)
            assert "is held by something else" in found.stderr
        finally:
            victim.kill()


def test_a_folder_that_others_may_change_is_refused(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    found = minex("up", "--detach", "--port", "0", "--data-folder", str(folder))
    assert found.returncode == 1
    assert f"chmod go-w {folder}" in found.stderr
    assert list(folder.iterdir()) == []
