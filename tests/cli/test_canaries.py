"""Given an exchange whose every secret is a canary, when it is used and misused, then none is in a log or argument."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import requests

from cli.local.demo.simulator_keys import keys_of
from settings.loading import ROOT

ADMIN_KEY = f"canary-{secrets.token_hex(16)}"


@dataclass
class Exchange:
    """One that runs, its secrets by what they are, and where it writes."""

    url: str
    folder: Path
    port: int
    secrets: dict[str, str]

    def send(self, request: str, port: int | None = None) -> None:
        """Send these bytes to REST, or to another port, and wait for the end of the answer."""
        with socket.create_connection(("127.0.0.1", port or self.port), timeout=10) as client:
            client.sendall(request.replace("\n", "\r\n").encode())
            client.shutdown(socket.SHUT_WR)
            while client.recv(65_536):
                continue

    def written(self) -> str:
        """All that any of its processes has written."""
        logs = [*(self.folder / "log").rglob("*"), *self.folder.rglob("*.log")]
        return "\n".join(path.read_text(errors="replace") for path in logs if path.is_file())


def minex(*arguments: str, **known: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MINEX_")}
    environment = inherited | {"PYTHONPATH": str(ROOT)} | known
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def exchange(make_server_folder: Callable[[], Path]) -> Iterator[Exchange]:
    folder = make_server_folder() / "canaries"
    known = {"MINEX_ADMIN_KEY": ADMIN_KEY, "MINEX_DEBUG": "true"}
    started = minex("up", "--detach", "--port", "0", "--json", "--data-folder", str(folder), **known)
    assert started.returncode == 0, started.stderr
    summary = json.loads(started.stdout)
    state = json.loads((folder / "run.json").read_text())
    found = {f"the key of {broker['name']}": broker["api_key"] for broker in summary["brokers"]}
    found |= {"the administrator's key": ADMIN_KEY}
    found |= {f"the key of the simulator's {kind}": key for kind, key in keys_of(folder).items()}
    for name in ("database", "owner", "reader", "redis"):
        found[f"the password of {name}"] = state[f"{name}_url"].partition("://")[2].partition("@")[0].partition(":")[2]
    for process, url in state["redis_urls"].items():
        found[f"the password of {process} in redis"] = urlsplit(url).password or ""
    assert len(found) > 10
    assert all(len(secret) > 15 for secret in found.values()), found
    yield Exchange(summary["url"], folder, int(summary["url"].rpartition(":")[2]), found)
    minex("down", "--data-folder", str(folder))


def assert_unseen(exchange: Exchange) -> None:
    written = exchange.written()
    assert [what for what, secret in exchange.secrets.items() if secret in written] == []


def lines_that_say(exchange: Exchange, words: str) -> list[str]:
    """Wait for what comes into the log by way of a pipe."""
    deadline = time.monotonic() + 20
    while not (found := [line for line in exchange.written().splitlines() if words in line]):
        assert time.monotonic() < deadline, exchange.written()
        time.sleep(0.05)
    return found


def test_no_process_has_one_among_its_arguments(exchange: Exchange) -> None:
    mine = psutil.Process(int(json.loads((exchange.folder / "run.json").read_text())["pid"]))
    family = [mine, *mine.children(recursive=True)]
    assert len(family) > 6
    arguments = "\n".join(" ".join(process.cmdline()) for process in family)
    assert [what for what, secret in exchange.secrets.items() if secret in arguments] == []


def test_a_process_knows_the_role_that_it_works_as_and_no_other(exchange: Exchange) -> None:
    roles = {name: exchange.secrets[f"the password of {name}"] for name in ("database", "owner", "reader")}
    state = json.loads((exchange.folder / "run.json").read_text())
    known = {}
    for process in state["processes"]:
        mine = psutil.Process(process["pid"])
        for member in [mine, *mine.children(recursive=True)]:
            environment = "\n".join(member.environ().values())
            known.setdefault(process["name"], set()).update(name for name in roles if roles[name] in environment)
    assert known.pop("live") == {"reader"}
    assert known.pop("postgres") == known.pop("valkey") == set()
    assert known.pop("simulator") == set()
    assert known == {name: {"database"} for name in ("web", "match-A", "clock", "reporter", "webhooks", "clearing")}


def test_a_start_writes_none(exchange: Exchange) -> None:
    assert (exchange.folder / "log" / "up.log").exists()
    assert_unseen(exchange)


@pytest.mark.parametrize(
    "head",
    [
        "GET /api/v1/balance HTTP/1.1\nHost: x\nAuthorization Bearer {key}\n\n",
        "GET /api/v1/balance HTTP/1.1\nHost: x\n{key}\n\n",
        "GET /api/v1/balance HTTP/1.1\nHost: x\nAuthorization: Bearer\n {key}\n\n",
        "GET /api/v1/balance HTTP/1.1\nHost: x\nTransfer-Encoding: {key}\n\n",
        "GET /api/v1/balance HTTP/1.1\nHost: x\nExpect: {key}\n\n",
        "GET /api/v1/balance HTTP/{key}\nHost: x\n\n",
        "{key} /api/v1/balance HTTP/1.1\nHost: x\n\n",
        "{key}\n\n",
    ],
)
@pytest.mark.parametrize("which", ["web", "live"])
def test_what_is_no_http_is_told_without_its_lines(exchange: Exchange, head: str, which: str) -> None:
    live_url = json.loads((exchange.folder / "run.json").read_text())["live_url"]
    port = exchange.port if which == "web" else int(live_url.rpartition(":")[2])
    exchange.send(head.format(key=exchange.secrets["the administrator's key"]), port)
    assert lines_that_say(exchange, "Invalid request from ip=127.0.0.1: ")
    assert_unseen(exchange)


def test_keys_where_they_do_not_belong(exchange: Exchange) -> None:
    for what, secret in exchange.secrets.items():
        if "key" not in what:
            continue
        for header in (secret, f"Barer {secret}", f"Bearer{secret}", f"Bearer x{secret}", f"Basic {secret}"):
            answer = requests.get(f"{exchange.url}/api/v1/balance", headers={"Authorization": header}, timeout=10)
            assert answer.status_code == 401
        for path in (f"/api/v1/balance?api_key={secret}", f"/socket.io/?token={secret}"):
            requests.get(f"{exchange.url}{path}", timeout=10)
        body = {"name": secret, "webhook_url": f"https://user:{secret}@example.org/"}
        bearer = {"Authorization": f"Bearer {ADMIN_KEY}"}
        requests.post(f"{exchange.url}/api/v1/register", json=body, headers=bearer, timeout=10)
    assert lines_that_say(exchange, "unknown keys were refused: 1 from 127.0.0.1")
    assert_unseen(exchange)


def test_a_row_that_the_database_refuses(exchange: Exchange) -> None:
    """A bug of ours, here a constraint that no broker can hold, is told with its traceback and without the row."""
    state = json.loads((exchange.folder / "run.json").read_text())
    bearer = {"Authorization": f"Bearer {ADMIN_KEY}"}
    known = exchange.secrets["the administrator's key"]
    with psycopg.connect(state["owner_url"], autocommit=True) as connection:
        connection.execute("ALTER TABLE brokers ADD CONSTRAINT nobody CHECK (name NOT LIKE 'canary-%')")
        try:
            answer = requests.post(f"{exchange.url}/api/v1/register", json={"name": known}, headers=bearer, timeout=10)
        finally:
            connection.execute("ALTER TABLE brokers DROP CONSTRAINT nobody")
    assert answer.status_code == 500
    assert lines_that_say(exchange, "violates check constraint")
    assert [line for line in exchange.written().splitlines() if "Failing row" in line or "DETAIL" in line] == []
    assert_unseen(exchange)


def test_a_terminal_that_is_gone_gets_no_keys_into_the_log(make_server_folder: Callable[[], Path]) -> None:
    """The start goes on without it; the keys stay in files of their owner alone, for the next `minex up`."""
    folder = make_server_folder() / "gone"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MINEX_")}
    command = [sys.executable, "-m", "cli", "up", "--detach", "--port", "0", "--data-folder", str(folder)]
    terminal = subprocess.Popen(command, env=inherited | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)
    try:
        assert terminal.stderr is not None
        terminal.stderr.readline()
        terminal.send_signal(signal.SIGKILL)
        terminal.wait()
        terminal.stderr.close()
        log, deadline = folder / "log" / "up.log", time.monotonic() + 60
        while "live_url" not in (log.read_text() if log.exists() else ""):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        keys = [
            broker["api_key"] for broker in json.loads((folder / "demo.json").read_text())["databases"][0]["brokers"]
        ]
        admin_key = (folder / "new-admin-key").read_text().strip()
        assert (folder / "demo.json").stat().st_mode & 0o777 == 0o600
        assert (folder / "new-admin-key").stat().st_mode & 0o777 == 0o600
        written = "\n".join(path.read_text(errors="replace") for path in (folder / "log").iterdir())
        assert [key for key in (*keys, admin_key) if key in written] == []
        deadline = time.monotonic() + 60
        while (again := minex("up", "--detach", "--port", "0", "--data-folder", str(folder))).returncode != 0:
            assert time.monotonic() < deadline, again.stderr
        assert admin_key in again.stdout
    finally:
        minex("down", "--data-folder", str(folder))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://minex:{secret}[@127.0.0.1:1/minex",
        "postgresql://minex:{secret}@[::1/minex",
        "postgresql://minex:{secret}@127.0.0.1:port/minex",
        "postgresql://minex:{secret}%zz@127.0.0.1:1/minex",
        "postgresql://minex@127.0.0.1:1/minex?password={secret}%zz",
        "postgresql://minex@127.0.0.1:1/minex?unheard={secret}",
        "postgresql://minex:{secret}@127.0.0.1:1/minex",
        "postgres//minex:{secret}@127.0.0.1/minex",
    ],
)
@pytest.mark.parametrize("arguments", [("doctor",), ("up", "--port", "0"), ("migrate",), ("verify",)], ids=" ".join)
def test_a_url_with_a_password_that_cannot_be_used(tmp_path: Path, arguments: tuple[str, ...], url: str) -> None:
    secret = "cAnArY-of-a-password"
    known = {"MINEX_DATABASE_URL": url.format(secret=secret), "MINEX_REDIS_URL": "redis://127.0.0.1:1/0"}
    done = minex(*arguments, **known, MINEX_DATA_FOLDER=str(tmp_path))
    assert done.returncode not in (0, None)
    assert secret not in done.stdout + done.stderr
    assert all(secret not in path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
