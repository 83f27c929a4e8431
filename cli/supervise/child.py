"""One process of the Procfile while it runs: started in a group of its own, its output read, its whole group ended."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

from cli.supervise.heartbeats import HeartbeatWatch, Hung
from cli.supervise.log_file import Logbook
from cli.supervise.procfile import Process
from machine.process import die_with_parent, end_group
from settings.loading import HEARTBEATS, LISTENER


class Child:
    """A process that can be started again; it ends with us (Linux), even if we are killed."""

    def __init__(
        self,
        process: Process,
        environment: Mapping[str, str],
        logbook: Logbook,
        heartbeats: HeartbeatWatch | None = None,
        listener: socket.socket | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """`heartbeats`: where its signs of life are looked for; None for a process that gives none.

        `listener` is handed down at each start: while the process is away, those who connect wait for the next.
        `options`: the folder that it is started in, and under which account, as `subprocess` knows them.
        """
        self.name = process.name
        self.health_url = process.health_url
        self.beats = heartbeats is not None
        self._heartbeats = heartbeats
        self._command = process.command
        self._options = options or {"cwd": "/"}
        self._environment = dict(environment) | ({HEARTBEATS: str(heartbeats.folder)} if heartbeats else {})
        self._handed_down: tuple[int, ...] = ()
        if listener is not None:
            self._handed_down = (listener.fileno(),)
            self._environment[LISTENER] = str(listener.fileno())
        self._logbook = logbook
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start it; OSError if its program cannot be started at all. To be called from the main thread."""
        if self._heartbeats is not None:
            self._heartbeats.forget()
        process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=self._handed_down,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - nothing but one system call
            **self._options,
        )
        self._process = process
        self._reader = threading.Thread(target=self._read, args=[process], name=f"log of {self.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def is_alive(self) -> bool:
        """True if it runs."""
        return self.pid is not None

    def end_hung(self) -> list[Hung]:
        """End what of it hangs: itself, to be started again as after any death, or some that it has started."""
        return self._heartbeats.end_hung(self.pid) if self._heartbeats is not None and self.pid is not None else []

    def end_of(self) -> str:
        """The end of the last run, in words."""
        code = self._process.poll() if self._process is not None else None
        if code is None:
            return "has not ended"
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}"
        return f"exited with code {code}"

    def terminate(self) -> None:
        """Ask it to finish what it does and leave."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, until: float) -> bool:
        """Wait for its end; True if it has ended by `until` (seconds of time.monotonic)."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def clear_away(self) -> None:
        """End what is left of its group: workers that outlived their master would keep its port."""
        if self._process is None:
            return
        end_group(self._process.pid)
        self._process.wait()
        if self._reader is not None:
            self._reader.join(1.0)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        with process.stdout as stream:
            for line in stream:
                self._logbook.write(self.name, line.decode("utf-8", "replace"))
