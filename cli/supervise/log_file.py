"""The one log: every line of every process, with time and name, in a file and for whoever watches."""

from __future__ import annotations

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
UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
"""Everything with which a line could pretend to be another one or steer the terminal; tabs stay."""


class Logbook:
    """Written to by the supervisor and by one reader thread for each process."""

    def __init__(self, path: Path, terminal: TextIO | None = None) -> None:
        """`terminal` gets a copy of each line from now on; None: the file only."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.terminal = terminal
        self._file = path.open("a", encoding="utf-8", errors="replace")
        self._size = path.stat().st_size
        self._last: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=KEPT_LINES))
        self._colours: dict[str, str] = {}
        self._mutex = threading.Lock()

    def write(self, name: str, line: str) -> None:
        """One line of one process; control characters are shown, not obeyed."""
        text = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", line.rstrip())
        now = datetime.now(UTC)
        with self._mutex:
            self._last[name].append(text)
            record = f"{now:%Y-%m-%dT%H:%M:%S.%f}Z {name:<{NAME_WIDTH}} {text}\n"
            self._turn_page(len(record.encode("utf-8", "replace")))
            self._file.write(record)
            self._file.flush()
            self._show(name, f"{now.astimezone():%H:%M:%S} {name:<{NAME_WIDTH}} │", text)

    def last_lines(self, name: str) -> list[str]:
        """The newest lines of one process."""
        with self._mutex:
            return list(self._last[name])

    def close(self) -> None:
        """No line may come after this."""
        with self._mutex:
            self._file.close()

    def _turn_page(self, added: int) -> None:
        self._size += added
        if self._size > LIMIT_BYTES:
            self._file.close()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self._file = self.path.open("a", encoding="utf-8", errors="replace")
            self._size = added

    def _show(self, name: str, head: str, text: str) -> None:
        if self.terminal is None:
            return
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        try:
            self.terminal.write(f"{coloured(head, colour, self.terminal)} {text}\n")
            self.terminal.flush()
        except (OSError, ValueError):
            self.terminal = None  # the terminal was closed; the exchange goes on, and so does the file
