"""What the processes say: one line an entry on stderr, as text or as JSON, in which no input can forge another line."""

import io
import json
import logging
import re
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

from settings.sections import Log

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that end a line or steer a terminal."""

QUIET = ("rq.worker", "rq.job", "engineio", "socketio", "urllib3")
"""Libraries whose news at level info is none to an operator of an exchange."""


def start_logging(settings: Log) -> None:
    """Send every log entry of this process to stderr in the configured form, from the configured level on.

    As JSON nothing else gets there: what is written past the log (a traceback, a warning, a library's print) becomes an
    entry, line by line.
    """
    stderr: TextIO = sys.stderr.stream if isinstance(sys.stderr, StrayLines) else sys.stderr
    sys.stderr = StrayLines(stderr) if settings.format == "json" else stderr
    sys.excepthook = _log_uncaught
    handler = logging.StreamHandler(stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class StrayLines(io.TextIOBase):
    """Takes the place of stderr: each line that comes is written to `stream` as an entry of its own."""

    encoding = "utf-8"

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream
        self._unfinished = ""

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """That of the stream, for those who write past Python."""
        return self.stream.fileno()

    def write(self, text: str) -> int:
        """Write the lines that are whole now; the rest waits for its end."""
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        for line in lines:
            if line.strip():
                entry = logging.makeLogRecord({"name": "stderr", "levelno": logging.ERROR, "levelname": "ERROR"})
                entry.msg = line
                self.stream.write(JsonLines().format(entry) + "\n")
        self.stream.flush()
        return len(text)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """One entry for what ends the process, its traceback in it."""
    logging.getLogger("minex").critical("%s", kind.__name__, exc_info=(kind, error, trace))


def visible(text: str) -> str:
    """`text` with control characters written out, so that it stays on its line and changes no colours."""
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class TextLines(logging.Formatter):
    """`14:03:22.123 WARNING workers.group: Redis is away`; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry as text."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line = (
            f"{moment:%H:%M:%S}.{record.msecs:03.0f} {record.levelname} {record.name}: {visible(record.getMessage())}"
        )
        return line + "".join(f"\n    {visible(one)}" for one in _trace(self, record))


class JsonLines(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, and trace where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry as JSON."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = _trace(self, record)
        if trace:
            entry["trace"] = "\n".join(trace)
        return json.dumps(entry)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    if not record.exc_info:
        return []
    return formatter.formatException(record.exc_info).splitlines()
