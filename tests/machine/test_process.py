"""Finding a server's processes while some of them end."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from machine.process import inhabitants


def test_a_process_that_ends_while_it_is_looked_at_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        subprocess.Popen(["sleep", "60"], cwd=tmp_path) as staying,
        subprocess.Popen(["sleep", "60"], cwd=tmp_path) as going,
    ):
        look_up = psutil.Process.cwd

        def end_then(process: psutil.Process) -> str:
            folder = look_up(process)
            if process.pid == going.pid:
                going.send_signal(signal.SIGKILL)
                going.wait()
            return folder

        monkeypatch.setattr(psutil.Process, "cwd", end_then)
        assert [process.pid for process in inhabitants("sleep", tmp_path)] == [staying.pid]
        staying.kill()
