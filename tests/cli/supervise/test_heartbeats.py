"""Given processes that give signs of life, when one hangs, then it is ended, and nobody else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cli.supervise import heartbeats as module
from cli.supervise.child import Child
from cli.supervise.heartbeats import HeartbeatWatch, clear_left_overs, make_folder
from cli.supervise.log_file import Logbook
from cli.supervise.loop import Supervisor
from cli.supervise.procfile import Process
from machine.account import Account
from settings.loading import ROOT

BEATING = "from heartbeat import start_beating; import time; start_beating(lambda: True); time.sleep(600)"
LOOPING = """
import heartbeat
progress = heartbeat.Progress(0.3)
heartbeat.start_beating(progress.goes_on)
while True: pass
"""
WAITING = """
import heartbeat, time
progress = heartbeat.Progress(0.3)
heartbeat.start_beating(progress.goes_on)
time.sleep(600)
"""
MASTER = f"""
import subprocess, sys, time
while True:
    worker = subprocess.Popen([sys.executable, "-c", {BEATING!r}])
    print("worker", worker.pid, flush=True)
    worker.wait()
"""
SILENT = "import time; time.sleep(600)"

Supervised = tuple[Supervisor, Logbook]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[str], Supervised]]:
    made: list[Supervised] = []

    def supervise(code: str) -> Supervised:
        logbook = Logbook(tmp_path / "minex.log")
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = Process("one", (sys.executable, "-c", code))
        child = Child(process, environment, logbook, HeartbeatWatch(tmp_path / "beats"))
        supervisor = Supervisor([child], logbook)
        made.append((supervisor, logbook))
        supervisor.start()
        return made[-1]

    yield supervise
    for supervisor, logbook in made:
        supervisor.stop(0.0)
        supervisor.close()
        logbook.close()


def run_until(supervisor: Supervisor, condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        supervisor.run_once(0.05)


def beats(tmp_path: Path) -> list[int]:
    return [int(file.name) for file in (tmp_path / "beats").iterdir()]


def hang_and_come_back(supervised: Supervised, hung: int) -> None:
    supervisor, logbook = supervised
    one = supervisor.watched[0]
    run_until(supervisor, lambda: one.restarts == 1 and one.unit.pid not in (None, hung))
    assert f"one hangs (pid {hung})" in logbook.path.read_text()
    assert not psutil.pid_exists(hung)


def test_a_process_that_is_stopped_is_started_again(supervise: Callable[[str], Supervised], tmp_path: Path) -> None:
    supervised = supervise(BEATING)
    run_until(supervised[0], lambda: bool(beats(tmp_path)))
    (pid,) = beats(tmp_path)
    os.kill(pid, signal.SIGSTOP)
    hang_and_come_back(supervised, pid)


def test_one_that_hangs_again_is_not_made_to_wait(supervise: Callable[[str], Supervised], tmp_path: Path) -> None:
    supervisor, logbook = supervise(BEATING)
    one = supervisor.watched[0]
    for restarts in range(3):
        run_until(supervisor, lambda n=restarts: one.restarts == n and beats(tmp_path) == [one.unit.pid])
        os.kill(beats(tmp_path)[0], signal.SIGSTOP)
    run_until(supervisor, lambda: one.restarts == 3)
    assert logbook.path.read_text().count("starting again at once") == 3


@pytest.mark.parametrize("code", [LOOPING, WAITING], ids=["an endless loop", "a wait without an end"])
def test_a_loop_that_comes_round_no_more_is_started_again(
    supervise: Callable[[str], Supervised], tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 3.0)
    supervised = supervise(code)
    run_until(supervised[0], lambda: bool(beats(tmp_path)))
    hang_and_come_back(supervised, beats(tmp_path)[0])


def test_one_worker_of_a_server_is_ended_alone(supervise: Callable[[str], Supervised], tmp_path: Path) -> None:
    supervisor, logbook = supervise(MASTER)
    one = supervisor.watched[0]
    run_until(supervisor, lambda: bool(beats(tmp_path)))
    master, (worker,) = one.unit.pid, beats(tmp_path)
    os.kill(worker, signal.SIGSTOP)
    run_until(supervisor, lambda: bool(beats(tmp_path)) and beats(tmp_path) != [worker])
    assert one.unit.pid == master
    assert one.restarts == 1
    assert f"one hangs (pid {worker})" in logbook.path.read_text()


def test_a_leader_without_signs_of_its_own_may_not_be_stopped(supervise: Callable[[str], Supervised]) -> None:
    supervised = supervise(SILENT)
    pid = supervised[0].watched[0].unit.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    hang_and_come_back(supervised, pid)


def test_who_is_at_work_is_not_ended_for_being_late(tmp_path: Path) -> None:
    """As one that holds Python's lock in one long call, or gets no turn on a busy machine."""
    with looping() as process:
        watch = HeartbeatWatch(tmp_path / "beats")
        (tmp_path / "beats" / str(process.pid)).touch()
        os.utime(tmp_path / "beats" / str(process.pid), (1, 1))
        until = time.monotonic() + module.SILENT_SECONDS + 1
        while time.monotonic() < until:
            assert watch.end_hung(process.pid) == []
            time.sleep(0.05)
        assert process.poll() is None
        process.kill()


def looping() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)


def test_what_is_not_of_the_group_is_never_ended(tmp_path: Path) -> None:
    """Anybody's number may stand in a file: of a process that has gone, or of a stranger."""
    watch = HeartbeatWatch(tmp_path / "beats")
    for name in (str(os.getpid()), "1", "0", "-1", "junk", "99999999"):
        (tmp_path / "beats" / name).touch()
        os.utime(tmp_path / "beats" / name, (1, 1))
    with looping() as process:
        assert watch.end_hung(process.pid) == []
        process.kill()
    assert beats(tmp_path) == []


def test_folders_of_supervisors_that_were_killed_are_cleared_away(tmp_path: Path) -> None:
    gone, ours = tmp_path / f"{module.PREFIX}99999999-x", tmp_path / f"{module.PREFIX}{os.getpid()}-x"
    for folder in (gone, ours, tmp_path / f"{module.PREFIX}junk-x"):
        folder.mkdir()
    clear_left_overs(tmp_path)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == [ours.name, f"{module.PREFIX}junk-x"]
    made = make_folder(Account())
    assert made.stat().st_mode & 0o077 == 0
    made.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="root only")
def test_who_is_watched_can_neither_change_the_folder_nor_stop_the_watch(tmp_path: Path) -> None:
    account = Account.of_exchange()
    made = make_folder(account)
    try:
        watch = HeartbeatWatch(made / "web", account)
        left = "mkdir -p folder/in 2 && ln -s /etc link && touch 1 x; cd .. && ln -s /etc live && exit 1; exit 0"
        options = account.spawn_options() | {"cwd": watch.folder}
        subprocess.run(["/bin/sh", "-c", left], check=True, stderr=subprocess.DEVNULL, **options)
        assert len(list(watch.folder.iterdir())) == 5
        watch.end_hung(os.getpid())
        watch.forget()
        assert list(watch.folder.iterdir()) == []
        assert list(made.iterdir()) == [watch.folder]
        assert Path("/etc/passwd").exists()
    finally:
        shutil.rmtree(made)
