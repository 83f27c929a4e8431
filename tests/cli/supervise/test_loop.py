"""Given a few small processes, when one dies or hangs, then it runs again; when all shall stop, then none is left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from cli.supervise.child import Child
from cli.supervise.heartbeats import HeartbeatWatch
from cli.supervise.log_file import Logbook
from cli.supervise.loop import StartError, Supervisor
from cli.supervise.procfile import Process
from machine.ports import listener, random_free_port
from settings.loading import ROOT

SLEEP = "import time; print('ready', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
{SLEEP}
"""
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
BUSY_DOOR = """
import http.server, sys, time
from heartbeat import start_beating
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.server.answered = True
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.answered = False
start_beating(lambda: True)
while not server.answered:
    server.handle_request()
time.sleep(600)
"""
HEIR = """
import http.server, os, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(os.getpid()).encode())
class Server(http.server.HTTPServer):
    def server_bind(self): self.socket = socket.socket(fileno=int(os.environ["MINEX_LISTENER"]))
    def server_activate(self): pass
Server(("127.0.0.1", 0), Handler).serve_forever()
"""
OWNER = """
import os, sys, time
from pathlib import Path
from cli.supervise.child import Child
from cli.supervise.log_file import Logbook
from cli.supervise.procfile import Process
child = Child(Process("one", ("sleep", "600")), os.environ, Logbook(Path(sys.argv[1])))
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""

Make = Callable[[Sequence[Process]], Supervisor]


def python(name: str, code: str, *arguments: str, health_url: str = "") -> Process:
    return Process(name, (sys.executable, "-c", code, *arguments), health_url)


@pytest.fixture
def logbook(tmp_path: Path) -> Iterator[Logbook]:
    book = Logbook(tmp_path / "minex.log")
    yield book
    book.close()


@pytest.fixture
def make(tmp_path: Path, logbook: Logbook) -> Iterator[Make]:
    made: list[Supervisor] = []

    def supervise(processes: Sequence[Process]) -> Supervisor:
        children = [Child(process, os.environ, logbook) for process in processes]
        made.append(Supervisor(children, logbook))
        return made[-1]

    yield supervise
    for supervisor in made:
        supervisor.stop(0.0)
        supervisor.close()


def run_until(supervisor: Supervisor, condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        supervisor.run_once(0.05)


def test_what_dies_is_started_again(make: Make) -> None:
    supervisor = make([python("one", SLEEP), python("two", SLEEP)])
    supervisor.start()
    supervisor.wait_until_up(10)
    one, two = supervisor.watched
    before, other = one.unit.pid, two.unit.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    run_until(supervisor, lambda: one.unit.pid not in (None, before))
    assert one.restarts == 1
    assert two.unit.pid == other


def test_what_keeps_dying_is_given_longer_and_longer_rests(make: Make, logbook: Logbook) -> None:
    supervisor = make([python("broken", "raise SystemExit('no such table')")])
    supervisor.start()
    run_until(supervisor, lambda: supervisor.watched[0].deaths >= 3)
    text = logbook.path.read_text()
    assert [f"again {when}" in text for when in ("at once", "in 0.5 s", "in 1 s")] == [True] * 3
    assert "exited with code 1" in text


def test_a_start_that_cannot_succeed_ends_with_the_reason(make: Make) -> None:
    supervisor = make([python("good", SLEEP), python("broken", "raise SystemExit('no such table')")])
    supervisor.start()
    with pytest.raises(StartError, match=r"(?s)broken exited with code 1.*no such table"):
        supervisor.wait_until_up(10)


def test_a_program_that_is_not_there_ends_the_start_too(make: Make) -> None:
    supervisor = make([Process("absent", ("/no/such/program",))])
    supervisor.start()
    with pytest.raises(StartError, match="absent"):
        supervisor.wait_until_up(10)


def test_a_process_with_an_address_is_up_when_it_answers(make: Make) -> None:
    port = random_free_port()
    supervisor = make([python("web", SERVER, str(port), health_url=f"http://127.0.0.1:{port}/health")])
    supervisor.start()
    assert not supervisor.is_well(supervisor.watched[0])
    supervisor.wait_until_up(10)
    assert supervisor.is_well(supervisor.watched[0])


def test_a_socket_that_is_handed_down_outlives_the_process(tmp_path: Path, logbook: Logbook) -> None:
    with listener(0) as opened:
        url = f"http://127.0.0.1:{opened.getsockname()[1]}/health"
        child = Child(python("web", HEIR, health_url=url), os.environ, logbook, None, opened)
        supervisor = Supervisor([child], logbook)
        try:
            supervisor.start()
            supervisor.wait_until_up(10)
            first = child.pid
            assert first is not None
            assert requests.get(url, timeout=10).text == str(first)
            os.kill(first, signal.SIGKILL)
            with ThreadPoolExecutor() as threads:
                waiting = threads.submit(requests.get, url, timeout=20)
                run_until(supervisor, waiting.done, 20)
            assert waiting.result().text == str(child.pid) != str(first)
        finally:
            supervisor.stop(0.0)
            supervisor.close()


def test_a_process_that_hangs_is_ended_and_started_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.supervise.loop.HUNG_SECONDS", 1.0)
    monkeypatch.setattr("cli.supervise.health.TIMEOUT_SECONDS", 0.3)
    port = random_free_port()
    supervisor = make([python("web", SERVER, str(port), health_url=f"http://127.0.0.1:{port}/health")])
    supervisor.start()
    supervisor.wait_until_up(10)
    web = supervisor.watched[0]
    hung = web.unit.pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    run_until(supervisor, lambda: web.restarts == 1 and supervisor.is_well(web), 20)
    assert not psutil.pid_exists(hung)


def test_one_that_gives_signs_of_life_is_not_ended_for_an_answer_that_strangers_keep_from_us(
    tmp_path: Path, logbook: Logbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.supervise.loop.HUNG_SECONDS", 1.0)
    monkeypatch.setattr("cli.supervise.health.TIMEOUT_SECONDS", 0.3)
    port = random_free_port()
    process = python("web", BUSY_DOOR, str(port), health_url=f"http://127.0.0.1:{port}/health")
    child = Child(process, os.environ, logbook, HeartbeatWatch(tmp_path / "signs"), options={"cwd": ROOT})
    supervisor = Supervisor([child], logbook)
    try:
        supervisor.start()
        supervisor.wait_until_up(10)
        pid = child.pid
        run_until(supervisor, lambda: supervisor.watched[0].is_silent, 20)
        run_until(supervisor, lambda: supervisor.health.silent_seconds("web") > 2.5, 20)
        assert child.pid == pid
        said = [line for line in logbook.last_lines("minex") if "we have had no answer" in line]
        assert len(said) == 1
    finally:
        supervisor.stop(0.0)
        supervisor.close()


def test_a_stop_leaves_nothing(make: Make, logbook: Logbook) -> None:
    supervisor = make([python("good", SLEEP), python("deaf", DEAF), python("parent", PARENT)])
    supervisor.start()
    lines = {"good": 1, "deaf": 1, "parent": 2}
    run_until(supervisor, lambda: all(len(logbook.last_lines(name)) == count for name, count in lines.items()))
    pids = [watched.unit.pid for watched in supervisor.watched]
    pids.append(int(logbook.last_lines("parent")[0].split()[1]))
    supervisor.stop(0.5)
    for pid in pids:
        assert pid is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # of process 1, which is slow to look


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
def test_children_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    with owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)
