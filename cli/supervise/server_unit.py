"""An embedded server seen as one of the supervised processes."""

from __future__ import annotations

import time
from pathlib import Path

from cli.supervise.heartbeats import Hung
from cli.supervise.log_file import Logbook
from embedded.server import Server
from embedded.server_log import LIMIT_BYTES, turn_page

STOP_SECONDS = 1.5
"""A fast shutdown takes some 20 ms; a slower one is cut short, and the next start recovers."""


class Served:
    """Starts when it is ready, and has its own log file, which is copied to the one log."""

    health_url = ""
    beats = False

    def __init__(self, name: str, server: Server, logbook: Logbook) -> None:
        self.name = name
        self.server = server
        self._logbook = logbook
        self._read_until = _size(server.log_file)
        self._is_unreadable = False

    def start(self) -> None:
        """Come back on the same address. Raises EmbeddedServerError."""
        self.server.start()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self.server.pid

    def is_alive(self) -> bool:
        """True if it runs."""
        return self.server.is_alive()

    def end_hung(self) -> list[Hung]:
        """Nothing: a server gives no signs of life of its own."""
        return []

    def end_of(self) -> str:
        """The end of the last run, in words."""
        return "died"

    def copy_log(self) -> None:
        """Put what the server has logged since the last call into the one log."""
        try:
            whole = self._new_lines()
        except OSError as error:
            if not self._is_unreadable:
                self._logbook.write(self.name, f"its log cannot be read ({error.strerror})")
            self._is_unreadable = True
            return
        self._is_unreadable = False
        for line in whole.decode("utf-8", "replace").splitlines():
            self._logbook.write(self.name, line)
        if self._read_until > LIMIT_BYTES:
            self._turn_page()

    def _turn_page(self) -> None:
        try:
            turn_page(self.server.log_file)
        except OSError as error:
            self._logbook.write(self.name, f"its log cannot be put aside ({error.strerror})")
        else:
            self._read_until = 0

    def _new_lines(self) -> bytes:
        size = _size(self.server.log_file)
        if size == self._read_until:
            return b""
        if size < self._read_until:  # a new file
            self._read_until = 0
        with self.server.log_file.open("rb") as file:
            file.seek(self._read_until)
            whole, _, rest = file.read().rpartition(b"\n")
            self._read_until = file.tell() - len(rest)
        return whole

    def terminate(self) -> None:
        """Servers leave last, when nobody needs them; see `clear_away`."""

    def wait(self, until: float) -> bool:
        """True until `until` (seconds of time.monotonic): there is nothing to wait for, see `clear_away`."""
        return time.monotonic() <= until

    def clear_away(self) -> None:
        """Between two runs: nothing, the next start deals with what is left."""

    def stop(self) -> None:
        """End it for good."""
        self.server.stop(STOP_SECONDS)
        self.copy_log()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
