"""What the processes say: one line an entry on stderr, as text or as JSON, in which no input can forge another line.

Every entry passes through structlog, whoever wrote it, a library too, and takes along what it is about: what is bound
at that moment (`structlog.contextvars`), such as a socket or a group, and what the SUBJECT says of itself, a request.
"""

import io
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, TextIO

from imports import without
from settings.sections import Log

with without("rich"):  # for tracebacks in colour, which no process shows: a twentieth of its start
    from structlog.contextvars import merge_contextvars
    from structlog.processors import EventRenamer, JSONRenderer, format_exc_info
    from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
    from structlog.typing import EventDict, Processor, WrappedLogger

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that end a line or steer a terminal."""

QUIET = ("rq.worker", "rq.job", "engineio", "socketio", "urllib3")
"""Libraries whose news at level info is none to an operator of an exchange."""


class Subject(Protocol):
    """What somebody is working on."""

    def log_fields(self) -> dict[str, Any]:
        """What an entry says of it. Asked when there is an entry, so that work without any costs nothing."""


SUBJECT: ContextVar[Any] = ContextVar("minex_subject")
"""The present Subject."""

SHOWN_IN_TEXT = ("request_id", "sid")
"""Of what is bound. A group needs no mention, for its process has its name, and JSON has all of it."""


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
        self._form = JsonLines()
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
                self.stream.write(self._form.format(entry) + "\n")
        self.stream.flush()
        return len(text)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """One entry for what ends the process, its traceback in it."""
    logging.getLogger("minex").critical("%s", kind.__name__, exc_info=(kind, error, trace))


def visible(text: str) -> str:
    """`text` with control characters written out, so that it stays on its line and changes no colours."""
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class TextLines(ProcessorFormatter):
    """`14:03:22.123 WARNING api.http.errors: 503 [request_id=9f10f]`; a traceback follows, indented."""

    def __init__(self) -> None:
        super().__init__(processors=[_as_text], foreign_pre_chain=MEMBERS)


class JsonLines(ProcessorFormatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, what is bound, trace if there is one."""

    def __init__(self) -> None:
        processors: list[Processor] = [ProcessorFormatter.remove_processors_meta, JSONRenderer()]
        super().__init__(processors=processors, foreign_pre_chain=MEMBERS)


def _add_time(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """When it was written; structlog's own stamp would say when it was formatted."""
    entry["time"] = datetime.fromtimestamp(entry["_record"].created, UTC).isoformat(timespec="milliseconds")
    return entry


def _add_subject(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    subject: Subject | None = SUBJECT.get(None)
    return entry if subject is None else {**subject.log_fields(), **entry}


def _trace_last(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """The traceback under our name for it; the stack of a call that asked for one is left out."""
    entry.pop("stack_info", None)
    if trace := entry.pop("exception", ""):
        entry["trace"] = "\n".join(trace.splitlines())
    return entry


MEMBERS: list[Processor] = [
    _add_time,
    add_log_level,
    add_logger_name,
    EventRenamer("message"),
    merge_contextvars,
    _add_subject,
    format_exc_info,
    _trace_last,
]
"""In the order in which JSON has them. What is bound replaces none of those before it."""


def _as_text(_: WrappedLogger, __: str, entry: EventDict) -> str:
    record: logging.LogRecord = entry["_record"]
    moment = datetime.fromtimestamp(record.created, UTC)
    line = f"{moment:%H:%M:%S}.{record.msecs:03.0f} {record.levelname} {record.name}: {visible(entry['message'])}"
    about = [f" [{name}={visible(str(entry[name]))}]" for name in SHOWN_IN_TEXT if name in entry]
    trace = [f"\n    {visible(one)}" for one in entry.get("trace", "").splitlines()]
    return "".join([line, *about, *trace])
