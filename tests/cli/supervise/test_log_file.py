"""Given lines of several processes, then one log that nobody can forge and that does not grow for ever."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from cli.supervise import log_file as module
from cli.supervise.log_file import Logbook


def test_each_line_has_its_time_and_its_process(tmp_path: Path) -> None:
    terminal = io.StringIO()
    logbook = Logbook(tmp_path / "log" / "minex.log", terminal)
    logbook.write("web", "hello\n")
    logbook.write("match-A", "matched")
    logbook.close()
    first, second = (tmp_path / "log" / "minex.log").read_text().splitlines()
    assert first.split()[1:] == ["web", "hello"]
    assert second.split()[1:] == ["match-A", "matched"]
    assert terminal.getvalue().splitlines()[0].endswith("web       │ hello")


def test_a_line_cannot_pretend_to_be_two_or_steer_the_terminal(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path / "minex.log")
    logbook.write("web", "symbol\r2026-01-01T00:00:00Z minex  all well\x1b[2J\x00")
    logbook.close()
    text = (tmp_path / "minex.log").read_text()
    assert len(text.splitlines()) == 1
    assert not {"\r", "\x1b", "\x00"} & set(text)


def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT_BYTES", 500)
    logbook = Logbook(tmp_path / "minex.log")
    for number in range(20):
        logbook.write("web", f"line {number}")
    logbook.close()
    assert (tmp_path / "minex.log").stat().st_size <= 500
    assert (tmp_path / "minex.log.1").exists()
    assert "line 19" in (tmp_path / "minex.log").read_text()


def test_the_last_lines_of_a_process_are_kept_for_its_error(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path / "minex.log")
    for number in range(100):
        logbook.write("web", f"line {number}")
        logbook.write("clock", "tick")
    assert logbook.last_lines("web")[-1] == "line 99"
    assert len(logbook.last_lines("web")) == module.KEPT_LINES
    logbook.close()


def test_a_closed_terminal_does_not_stop_the_log(tmp_path: Path) -> None:
    terminal = io.StringIO()
    logbook = Logbook(tmp_path / "minex.log", terminal)
    terminal.close()
    logbook.write("web", "still here")
    logbook.close()
    assert "still here" in (tmp_path / "minex.log").read_text()
