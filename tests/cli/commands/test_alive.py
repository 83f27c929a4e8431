"""Given a process by itself, as in a container, when it is asked for its health, then it is known to go on or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings.loading import ROOT

PATIENCE_SECONDS = 60
BEATING = "import heartbeat, time; heartbeat.start_beating(lambda: True); time.sleep(600)"
STOOD_STILL = "import heartbeat, time; heartbeat.start_beating(heartbeat.Progress(0.0).goes_on); time.sleep(600)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where processes beat; it does not exist yet."""
    return tmp_path / "beats"


def environment(folder: Path | str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "MINEX_HEARTBEATS": str(folder)}


@pytest.fixture
def process(folder: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", request.param], env=environment(folder)) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def alive(folder: Path | str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "alive"]
    return subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=False)


def becomes(folder: Path, code: int) -> str:
    """What is said once the exit code is `code`."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (done := alive(folder)).returncode != code:
        assert time.monotonic() < end, done.stderr
    return done.stderr


@pytest.mark.parametrize("process", [BEATING], indirect=True)
def test_a_process_that_stops_is_no_longer_alive_until_it_goes_on(
    folder: Path, process: subprocess.Popen[bytes]
) -> None:
    assert "alive" in becomes(folder, 0)
    process.send_signal(signal.SIGSTOP)
    assert "The last sign of life is " in becomes(folder, 1)
    process.send_signal(signal.SIGCONT)
    assert "alive" in becomes(folder, 0)


@pytest.mark.parametrize("process", [STOOD_STILL], indirect=True)
def test_a_process_whose_loop_stands_still_is_not(folder: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not folder.exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    done = alive(folder)
    assert done.returncode == 1
    assert "No process has given a sign of life" in done.stderr


@pytest.mark.parametrize(
    ("where", "said"), [("", "MINEX_HEARTBEATS names no folder"), ("/no/such", "No process has given a sign of life")]
)
def test_where_nobody_beats_it_says_so(where: str, said: str) -> None:
    done = alive(where)
    assert done.returncode == 1
    assert said in done.stderr
