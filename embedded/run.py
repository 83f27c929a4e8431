"""Processes of the exchange run apart from any terminal, for stories and measurements that start and kill them."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from embedded.own_account import environment_of
from machine.runtime import runtime_of
from settings.loading import LISTENER, ROOT, variables_of
from settings.sections import Settings

STOP_SECONDS = 10


class RunProcess:
    """One process of the exchange with its log, in a process group of its own."""

    def __init__(self, name: str, command: list[str], log: Path, **options: Any) -> None:
        """`options`: folder, variables and account, as `subprocess` knows them."""
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True, **options
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process itself."""
        self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL the process and all its children, and wait."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.popen.send_signal(signal.SIGCONT)
        self.popen.terminate()
        try:
            return self.popen.wait(STOP_SECONDS)
        finally:
            self.kill()


def _known() -> dict[str, str]:
    """Our variables but for settings: those of the exchange are others."""
    return {key: value for key, value in os.environ.items() if not key.startswith("MINEX_")}


class RunProcesses:
    """Starts `minex run …` and other modules with one exchange's settings."""

    def __init__(self, settings: Settings, folder: Path, redis_urls: Mapping[str, str] | None = None) -> None:
        """`redis_urls`: Redis as each kind of process ("web") uses it; that of the settings for all others."""
        secret = settings.identity.token_secret or secrets.token_hex(24)
        self.settings = replace(settings, identity=replace(settings.identity, token_secret=secret))
        self._redis_urls = redis_urls or {}
        self.folder = folder
        self.processes: list[RunProcess] = []

    def start(
        self, name: str, *arguments: str, listener: socket.socket | None = None, **environment: str
    ) -> RunProcess:
        """Start `minex run NAME …` under the account of the exchange; `environment` adds variables.

        `listener` is handed down, as the supervisor does.
        """
        own = {"MINEX_REDIS_URL": self._redis_urls[name]} if name in self._redis_urls else {}
        runtime = runtime_of(ROOT)
        variables = environment_of(runtime, self.settings, _known()) | own | environment
        command = [str(runtime.python), "-m", "cli", "run", name, *arguments]
        options: dict[str, Any] = {}
        if listener is not None:
            variables[LISTENER] = str(listener.fileno())
            options["pass_fds"] = (listener.fileno(),)
        return self._start(name, command, env=variables, **runtime.spawn_options(), **options)

    def start_module(self, name: str, *arguments: str, **environment: str) -> RunProcess:
        """Start `python -m …` with the exchange's settings."""
        variables = _known() | variables_of(self.settings) | {"PYTHONPATH": str(ROOT), **environment}
        return self._start(name, [sys.executable, "-m", *arguments], env=variables, cwd=ROOT)

    def _start(self, name: str, command: list[str], **options: Any) -> RunProcess:
        process = RunProcess(name, command, self.folder / f"{name}-{len(self.processes)}.log", **options)
        self.processes.append(process)
        return process

    def latest(self, name: str) -> RunProcess:
        """The latest process of that name."""
        return next(process for process in reversed(self.processes) if process.name == name)

    def kill_all(self) -> None:
        """End whatever still runs."""
        for process in self.processes:
            process.kill()
