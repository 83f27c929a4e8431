"""Given a disk that takes nothing, then the supervisor goes on, and tells what was lost once there is room again."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.local.run_state import read_state
from cli.supervise.exchange import Exchange
from cli.supervise.log_file import Logbook
from machine.secret import write_private
from settings.sections import Exchange as ExchangeSection
from settings.sections import Settings


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """From the call on every write of the supervisor fails with this error; with 0 there is room again."""
    real, failing = os.write, [0]

    def write(descriptor: int, data: bytes) -> int:
        if failing[0]:
            raise OSError(failing[0], os.strerror(failing[0]))
        return real(descriptor, data)

    def set_to(number: int) -> None:
        failing[0] = number

    monkeypatch.setattr(os, "write", write)
    yield set_to
    failing[0] = 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_lines_that_are_lost_are_counted_and_told(tmp_path: Path, full: Callable[[int], None], number: int) -> None:
    logbook = Logbook(tmp_path / "minex.log")
    logbook.write("web", "before")
    full(number)
    for line in range(3):
        logbook.write("web", f"lost {line}")
    full(0)
    logbook.write("web", "after")
    logbook.write("web", "and on")
    logbook.close()
    lines = [line.split(maxsplit=2)[1:] for line in (tmp_path / "minex.log").read_text().splitlines()]
    assert lines == [
        ["web", "before"],
        ["minex", "3 log lines were lost, the disk took none"],
        ["web", "after"],
        ["web", "and on"],
    ]
    assert logbook.last_lines("web")[-3:] == ["lost 2", "after", "and on"]


def test_a_part_of_a_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logbook = Logbook(tmp_path / "minex.log")
    logbook.write("web", "before")
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:5]))
        logbook.write("web", "half")
    logbook.write("web", "after")
    logbook.close()
    assert [line.split(maxsplit=2)[2] for line in (tmp_path / "minex.log").read_text().splitlines()] == [
        "before",
        "1 log line was lost, the disk took none",
        "after",
    ]


def test_a_page_that_cannot_be_turned_loses_lines_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.supervise.log_file.LIMIT_BYTES", 200)
    logbook = Logbook(tmp_path / "minex.log")
    for number in range(4):
        logbook.write("web", f"line {number}")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
        for number in range(4, 8):
            logbook.write("web", f"line {number}")
    for number in range(8, 12):
        logbook.write("web", f"line {number}")
    logbook.close()
    assert "line 11" in (tmp_path / "minex.log").read_text()


def test_the_state_is_written_down_once_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange(Settings(exchange=ExchangeSection(data_folder=str(tmp_path))), 0, lambda *_: None)
    monkeypatch.setattr("cli.supervise.kept_state.RETRY_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
        exchange.state.state = "degraded"
        exchange._kept.save()
        exchange.run_once()
        assert read_state(tmp_path) is None
    exchange.run_once()
    state = read_state(tmp_path)
    assert state is not None
    assert state.state == "degraded"
    assert "No space left on device" in (tmp_path / "log" / "minex.log").read_text()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["run.json"]
    monkeypatch.setattr("cli.supervise.exchange.end_descendants", lambda: None)  # ours are the tests' own servers
    exchange.stop()


def test_a_secret_that_could_not_be_written_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(tmp_path / "key", "old")
    monkeypatch.setattr(os, "fsync", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full"):
        write_private(tmp_path / "key", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    assert (tmp_path / "key").read_text() == "old"


def test_as_json_every_line_is_an_object_with_its_process(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path / "minex.log", form="json")
    logbook.write("web", '{"level": "warning", "message": "slow", "process": "forged"}\n')
    for line in ("plain text", "{broken", "[1]", "", '{"a": ' * 5_000, "\x1b[31mred\n{}"):
        logbook.write("postgres", line)
    logbook.close()
    entries = [json.loads(line) for line in (tmp_path / "minex.log").read_text().splitlines()]
    assert (entries[0]["process"], entries[0]["level"], entries[0]["message"]) == ("web", "warning", "slow")
    assert [entry["process"] for entry in entries[1:]] == ["postgres"] * 6
    assert entries[1]["message"] == "plain text"
    assert all({"time", "level", "logger", "message", "process"} <= entry.keys() for entry in entries)


def test_a_file_that_may_not_grow_in_earnest(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path / "minex.log")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
        for number in range(100):
            logbook.write("web", f"a line of some length: {number}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    kept = (tmp_path / "minex.log").read_text().splitlines()
    logbook.write("web", "after")
    logbook.close()
    lines = (tmp_path / "minex.log").read_text().splitlines()
    assert lines[: len(kept)] == kept
    assert lines[len(kept)].endswith(f"{100 - len(kept)} log lines were lost, the disk took none")
    assert lines[len(kept) + 1].endswith("after")
    assert 0 < len(kept) < 100
