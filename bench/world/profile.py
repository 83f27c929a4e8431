"""Where the time goes: py-spy profiles of the web and match processes while a load runs."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.figures import CannotMeasure
from bench.options import Options
from bench.world.world import World

INSTALL = "py-spy makes the profiles; install it with: pip install py-spy"
PATIENCE_SECONDS = 30


@contextlib.contextmanager
def profiled(world: World, options: Options) -> Iterator[None]:
    """Profile what runs inside the block, where that is wanted: one speedscope file for each process.

    Profiling itself takes a few per cent. Raises CannotMeasure where it is wanted and there is no py-spy.
    """
    if options.profile is None:
        yield
        return
    program = shutil.which("py-spy")
    if program is None:
        raise CannotMeasure(INSTALL)
    options.profile.mkdir(parents=True, exist_ok=True)
    running = [_record(program, pid, options.profile / f"{name}.speedscope.json") for name, pid in _targets(world)]
    try:
        yield
    finally:
        for recorder in running:
            recorder.send_signal(signal.SIGINT)
        for recorder in running:
            recorder.wait(PATIENCE_SECONDS)


def _targets(world: World) -> Iterator[tuple[str, int]]:
    """gunicorn's workers, not the process that watches them, and the group worker."""
    web = psutil.Process(world.processes.latest("web").popen.pid)
    for n, child in enumerate(web.children()):
        yield f"web-{n}", child.pid
    yield "match", world.processes.latest("match").popen.pid


def _record(program: str, pid: int, path: Path) -> subprocess.Popen[bytes]:
    command = [program, "record", "--pid", str(pid), "--format", "speedscope", "--output", str(path), "--nonblocking"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
