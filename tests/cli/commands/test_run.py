"""Given one process by itself, when it starts, works and stops, then every line of its log has the configured form."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from embedded.run import RunProcesses
from machine.account import Account
from machine.ports import random_free_port
from settings.processes import Live, Web
from settings.sections import Database, Log, Redis, Settings
from tests.roles import with_roles


@pytest.fixture
def processes(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[RunProcesses]:
    settings = dataclasses.replace(
        with_roles(Settings(), database_url),
        redis=Redis(url=redis_url),
        web=Web(port=random_free_port(), processes=1),
        live=Live(port=random_free_port()),
        log=Log(format="json"),
    )
    running = RunProcesses(settings, tmp_path)
    yield running
    running.kill_all()


def said(log: Path, words: str) -> None:
    deadline = time.monotonic() + 30
    while words not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["web", "live", "match", "clock"])
def test_as_json_every_line_is_an_object(processes: RunProcesses, name: str) -> None:
    process = processes.start(name, PYTHONWARNINGS="always")
    said(process.log, {"match": "matching group A", "clock": "the clock runs"}.get(name, "Booting worker"))
    if name in ("web", "live"):
        port = getattr(processes.settings, name).port
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                assert requests.get(f"http://127.0.0.1:{port}/health", timeout=10).status_code == 200
                break
            except requests.ConnectionError:
                time.sleep(0.05)
    process.stop()
    entries = [json.loads(line) for line in process.log.read_text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= entry.keys() for entry in entries)
    if name in ("web", "live"):
        assert {"gunicorn.error"} <= {entry["logger"] for entry in entries}
    if name == "match":
        assert "A" in {entry.get("group") for entry in entries if entry["message"] == "matching group A"}


def test_as_json_a_refusal_is_an_object_too(processes: RunProcesses, database_url: str) -> None:
    settings = processes.settings
    other = Database(url=database_url.rsplit("/", 1)[0] + "/postgres")
    processes.settings = dataclasses.replace(settings, database=other)
    process = processes.start("web")
    assert process.popen.wait(30) == 1
    entries = [json.loads(line) for line in process.log.read_text().splitlines()]
    assert "no exchange in it" in entries[0]["message"]


@pytest.mark.skipif(os.geteuid() != 0, reason="root only")
@pytest.mark.parametrize("name", ["web", "live", "match", "clock"])
def test_a_process_that_root_starts_leaves_root(processes: RunProcesses, name: str, tmp_path: Path) -> None:
    """Its file of settings is root's alone."""
    given = tmp_path / "given.toml"
    given.write_text('[exchange]\nadmin_key = "mxadmin_of_root_alone"\n[session.late]\nrandom_end_seconds = 7\n')
    given.chmod(0o600)
    process = processes.start_module(name, "cli", "run", name, MINEX_CONFIG=str(given))
    said(process.log, {"match": "matching group A", "clock": "the clock runs"}.get(name, "Booting worker"))
    running = [psutil.Process(process.popen.pid)]
    running += running[0].children(recursive=True)
    assert {found.uids() for found in running} == {(Account.of_exchange().uid,) * 3}
    assert {found.gids() for found in running} == {(Account.of_exchange().gid,) * 3}
    public = Path(running[0].environ()["MINEX_CONFIG"])
    assert 'random_end_seconds" = 7' in public.read_text()
    assert "mxadmin" not in public.read_text()
    public.unlink()
