"""The bare endpoint: under exactly the server that the exchange runs its REST under, or under stock gunicorn."""

from __future__ import annotations

import time
from typing import Self

import psutil

from bench.loads.wrk import Load, run_wrk
from bench.world.world import World, until
from machine.ports import is_free, random_free_port

APPLICATION = "bench.baselines.bare:app"

REQUEST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"document_number":"52998","side":"bid","symbol":"S0001","quantity":100,"price":10000}'
"""


class BareServer:
    """Beside a running exchange; idle, it costs that nothing.

    The command line is read from the web process: the same worker class, processes, threads and limits, whatever the
    exchange comes to use; `stock`, only as many processes, of gunicorn's own worker for gevent.
    """

    def __init__(self, world: World, *, stock: bool = False) -> None:
        self.world = world
        self.port = random_free_port()
        self._arguments = stock_arguments if stock else bare_arguments

    def __enter__(self) -> Self:
        web = psutil.Process(self.world.processes.latest("web").popen.pid)
        self.process = self.world.processes.start_module("bare", *self._arguments(web.cmdline(), self.port))
        until(lambda: not is_free(self.port), "the bare endpoint is up")
        time.sleep(0.5)  # gunicorn listens before its workers have started
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()

    def load(self, seconds: int, connections: int) -> Load:
        """Answers of the bare endpoint to as many connections. Raises CannotMeasure."""
        return run_wrk(f"http://127.0.0.1:{self.port}/", seconds, connections, REQUEST, self.world.folder)


def bare_arguments(command: list[str], port: int) -> list[str]:
    """gunicorn's arguments as in `command`, for the bare application on another port. Raises ValueError."""
    arguments = command[command.index("gunicorn") :]
    arguments[arguments.index("--bind") + 1] = f"127.0.0.1:{port}"
    arguments[arguments.index("wsgi:app")] = APPLICATION
    return arguments


def stock_arguments(command: list[str], port: int) -> list[str]:
    """gunicorn as anybody would run a Flask application on gevent, with as many processes as `command` has."""
    processes = command[command.index("--workers") + 1]
    return [
        *("gunicorn", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gevent", "--workers", processes, "--log-level", "warning", APPLICATION),
    ]
