"""The supervisor's state file, kept up to date whatever the disk does."""

from __future__ import annotations

import time

import psutil

from cli.local.run_state import RunState, write_state
from cli.supervise.log_file import Logbook
from cli.supervise.loop import Supervisor

RETRY_SECONDS = 1.0
"""Between two tries of a file that the disk did not take."""


class KeptState:
    """What other commands read of this exchange; a disk that does not take it ends nobody, and is tried again."""

    def __init__(self, state: RunState, logbook: Logbook) -> None:
        self.state = state
        self._logbook = logbook
        self._is_saved = True
        self._next_try = 0.0

    def save(self) -> None:
        """Write it down; when that fails, the log says so once."""
        try:
            write_state(self.state)
        except OSError as error:
            if self._is_saved:
                self._logbook.write("minex", f"the state cannot be written down ({error.strerror})")
            self._is_saved, self._next_try = False, time.monotonic() + RETRY_SECONDS
        else:
            self._is_saved = True

    def try_again(self) -> None:
        """Write down what the disk did not take, if it is time for that."""
        if not self._is_saved and time.monotonic() >= self._next_try:
            self.save()

    def note(self, supervisor: Supervisor) -> None:
        """Every process as it is now, and what that makes of the whole."""
        self.state.processes = [
            {
                "name": watched.unit.name,
                "pid": watched.unit.pid,
                "state": "running" if watched.unit.is_alive() else "restarting",
                "healthy": supervisor.is_well(watched),
                "restarts": watched.restarts,
                "created_at": _created_at(watched.unit.pid),
            }
            for watched in supervisor.watched
        ]
        was_up = all(watched.was_up for watched in supervisor.watched)
        well = all(process["healthy"] for process in self.state.processes)
        self.state.state = ("running" if well else "degraded") if was_up else "starting"
        self.save()


def _created_at(pid: int | None) -> float | None:
    try:
        return psutil.Process(pid).create_time() if pid else None
    except psutil.Error:
        return None
