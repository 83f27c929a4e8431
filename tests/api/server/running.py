"""The REST process as it runs, to be spoken to through raw sockets."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine.ports import random_free_port
from settings.loading import ROOT, variables_of
from tests.api.venue import settings_for

DEADLINE_SECONDS = 1.0
GET = b"GET /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n"


class Server:
    """gunicorn with our worker class; what is late after DEADLINE_SECONDS is refused."""

    def __init__(
        self,
        database_url: str,
        redis_url: str,
        workers: int = 1,
        graceful_seconds: int = 3,
        web: dict[str, int] | None = None,
    ) -> None:
        web = {"body_deadline_ms": int(DEADLINE_SECONDS * 1000), **(web or {})}
        limits = {"cancels_per_second": 1, "open_orders": 0, "open_orders_per_stock": 0}
        settings = settings_for(database_url, redis_url, web=web, limits=limits)
        self.port = random_free_port()
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("MINEX_")}
        command = [
            *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--no-control-socket"),
            *("--workers", str(workers), "--worker-class", "api.server.worker.Worker"),
            *("--graceful-timeout", str(graceful_seconds), "--keep-alive", "75", "--limit-request-line", "4094"),
        ]
        environment = inherited | variables_of(settings) | {"PYTHONPATH": str(ROOT)}
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by `stop`
        self.process = subprocess.Popen([*command, "wsgi:app"], cwd=ROOT, env=environment, stderr=self._log)

    def workers(self) -> list[int]:
        """The pids of the workers, the oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self, stop_signal: int = signal.SIGTERM) -> str:
        """End it; what it has written to its log."""
        self.process.send_signal(stop_signal)
        self.process.wait(timeout=15)
        self._log.seek(0)
        with self._log as log:
            return log.read()

    def wait_until_it_answers(self) -> None:
        """At most 30 seconds."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError, AssertionError):
                self.slowest(1)
                return
            time.sleep(0.05)

    def connect(self, address: str = "127.0.0.1") -> socket.socket:
        """A connection from `address` with a timeout of ten seconds."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10, source_address=(address, 0))

    def ask(self, *pieces: bytes, pause: float = 0.0, patience: float = 10.0) -> bytes:
        """Everything that is answered to these pieces, until the server closes or says nothing for `patience`."""
        with self.connect() as client:
            answer = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                for piece in pieces:
                    client.sendall(piece)
                    time.sleep(pause)
                client.settimeout(patience)
                while more := client.recv(65_536):
                    answer += more
            return answer

    def statuses(self, *pieces: bytes, pause: float = 0.0, patience: float = 10.0) -> list[int]:
        """The statuses of the answers."""
        answer = self.ask(*pieces, pause=pause, patience=patience)
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]

    def slowest(self, requests: int = 10) -> float:
        """Seconds that the slowest of some ordinary requests takes."""
        times = []
        for _ in range(requests):
            began = time.monotonic()
            with self.connect() as client:
                client.sendall(GET)
                assert client.recv(4_096).startswith(b"HTTP/1.1 200")
            times.append(time.monotonic() - began)
        return max(times)
