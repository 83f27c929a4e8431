"""The heads of answers, made at once: most of each is the same for a second."""

from __future__ import annotations

import re
import time
from typing import Final

from gunicorn import SERVER, util
from gunicorn.http.message import TOKEN_RE

LONGEST_BODY: Final = 65_536
"""Bytes. A longer body is sent piece by piece."""

MOST_NAMES: Final = 200
"""Of headers that are remembered as harmless: those that an application has, not what somebody makes up."""

LINES: Final = re.compile(r"(?:[!-~]+: (?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?\r\n)*")
"""Header lines whose values end no line and have no blanks around them."""

FIRST_WITH_BODY, WITHOUT_BODY = 200, frozenset({204, 304})


class AnswerHeads:
    """Of one worker. What they say is what gunicorn's Response would."""

    def __init__(self) -> None:
        self._second = -1
        self._beginnings: dict[tuple[str, bool], str] = {}
        self._harmless: set[str] = set()

    def made(self, status: str, headers: list[tuple[str, str]], closes: bool) -> tuple[bytes, int] | None:
        """The head of an answer and the bytes of its body; None where that is not said, or wants more care."""
        beginning = self._beginning(status, closes)
        if beginning is None:
            return None
        length = -1
        lines = []
        for name, value in headers:
            if name not in self._harmless and not self._is_harmless(name):
                return None
            if name == "Content-Length":
                length = int(value)
            lines.append(f"{name}: {value}\r\n")
        if status.startswith("204"):
            length = 0 if length < 0 else LONGEST_BODY + 1
        text = "".join(lines)
        if not 0 <= length <= LONGEST_BODY or text.count("\n") != len(headers) or not LINES.fullmatch(text):
            return None
        return f"{beginning}{text}\r\n".encode("latin-1"), length

    def _beginning(self, status: str, closes: bool) -> str | None:
        second = int(time.time())
        if second != self._second:
            self._second, self._beginnings = second, {}
        beginning = self._beginnings.get((status, closes))
        if beginning is None:
            number = int(status[:3])
            if number < FIRST_WITH_BODY or number == 304:
                return None
            connection = "close" if closes else "keep-alive"
            date = util.http_date()
            beginning = f"HTTP/1.1 {status}\r\nServer: {SERVER}\r\nDate: {date}\r\nConnection: {connection}\r\n"
            self._beginnings[status, closes] = beginning
        return beginning

    def _is_harmless(self, name: str) -> bool:
        """Whether it is a header that says nothing of the connection."""
        if util.is_hoppish(name) or not TOKEN_RE.fullmatch(name) or len(self._harmless) >= MOST_NAMES:
            return False
        self._harmless.add(name)
        return True
