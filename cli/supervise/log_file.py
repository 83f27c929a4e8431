"""The one log: every line of every process, with time and name, in a file and for whoever watches."""

from __future__ import annotations

import json
import os
import re
import threading
from collections import defaultdict, deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from cli.terminal import COLOURS, coloured

LIMIT_BYTES = 20_000_000
"""A longer log is put aside as `.1`, which replaces the one before."""

KEPT_LINES = 20
"""Of each process, for the message when it cannot be started."""

NAME_WIDTH = 9
OWN_NAME = "minex"
"""Whose lines are the supervisor's own."""

UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
"""Everything with which a line could pretend to be another one or steer the terminal; tabs stay."""


class Logbook:
    """Written to by the supervisor and by one reader thread for each process.

    A full or failing disk ends nobody: the lines that could not be written are counted, and the file says how many
    there were as soon as it takes lines again.
    """

    def __init__(self, path: Path, terminal: TextIO | None = None, form: str = "text") -> None:
        """`terminal` gets a copy of each line from now on; None: the file only. `form`: of the file, text or json."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.terminal = terminal
        self._form = form
        self._descriptor: int | None = self._open()
        self._size = path.stat().st_size
        self._lost = 0
        self._last: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=KEPT_LINES))
        self._colours: dict[str, str] = {}
        self._mutex = threading.Lock()

    def write(self, name: str, line: str) -> None:
        """One line of one process; control characters are shown, not obeyed."""
        text = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", line.rstrip())
        now = datetime.now(UTC)
        with self._mutex:
            self._last[name].append(text)
            self._keep(self._record(now, name, text))
            self._show(name, f"{now.astimezone():%H:%M:%S} {name:<{NAME_WIDTH}} │", text)

    def last_lines(self, name: str) -> list[str]:
        """The newest lines of one process."""
        with self._mutex:
            return list(self._last[name])

    def close(self) -> None:
        """No line may come after this."""
        with self._mutex:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _record(self, now: datetime, name: str, text: str) -> bytes:
        """The line as it stands in the file."""
        if self._form == "json":
            return (json.dumps(_entry(now, name, text)) + "\n").encode()
        return f"{now:%Y-%m-%dT%H:%M:%S.%f}Z {name:<{NAME_WIDTH}} {text}\n".encode("utf-8", "replace")

    def _keep(self, record: bytes) -> None:
        """Write the record, after a word of those that were lost; or count it among them."""
        if self._lost:
            said = f"{self._lost} log line{'s were' if self._lost > 1 else ' was'} lost, the disk took none"
            record = self._record(datetime.now(UTC), OWN_NAME, said) + record
        try:
            self._turn_page(len(record))
            self._append(record)
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    def _append(self, record: bytes) -> None:
        """All of the record or nothing of it. Raises OSError."""
        if self._descriptor is None:
            self._descriptor = self._open()
        written = os.write(self._descriptor, record)
        if written < len(record):
            os.ftruncate(self._descriptor, self._size)
            raise OSError("the disk took a part of a line")
        self._size += written

    def _turn_page(self, added: int) -> None:
        if self._size + added > LIMIT_BYTES and self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self._size = 0
            self._descriptor = self._open()

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def _show(self, name: str, head: str, text: str) -> None:
        if self.terminal is None:
            return
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        try:
            self.terminal.write(f"{coloured(head, colour, self.terminal)} {text}\n")
            self.terminal.flush()
        except (OSError, ValueError):
            self.terminal = None  # the terminal was closed; the exchange goes on, and so does the file


def _entry(now: datetime, name: str, text: str) -> dict[str, object]:
    """The line as an object: its own fields where a process wrote one, else what the supervisor knows of it."""
    try:
        given = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        given = None
    entry: dict[str, object] = {"time": now.isoformat(timespec="milliseconds"), "level": "info", "logger": name}
    entry |= given if isinstance(given, dict) else {"message": text}
    return entry | {"process": name}
