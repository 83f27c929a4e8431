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

VALUE: Final = re.compile(r"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")
"""Ends no line, and has no blanks around it."""

FIRST_WITH_BODY, WITHOUT_BODY = 200, frozenset({204, 304})


class AnswerHeads:
    """Of one worker. What they say is what gunicorn's Response would."""

    def __init__(self) -> None:
        self._second = -1
        self._beginnings: dict[tuple[str, bool], str] = {}
        self._last: dict[str, tuple[str, str]] = {}
        """By header: the value that it had last, and the line of both. Most never have another."""

    def made(self, status: str, headers: list[tuple[str, str]], closes: bool) -> tuple[bytes, int] | None:
        """The head of an answer and the bytes of its body; None where that is not said, or wants more care."""
        beginning = self._beginning(status, closes)
        if beginning is None:
            return None
        length = -1
        lines = [beginning]
        for name, value in headers:
            last = self._last.get(name)
            if last is None or last[0] != value:
                last = self._learned(name, value)
                if last is None:
                    return None
            if name == "Content-Length":
                length = int(value)
            lines.append(last[1])
        if status.startswith("204"):
            length = 0 if length < 0 else LONGEST_BODY + 1
        if not 0 <= length <= LONGEST_BODY:
            return None
        lines.append("\r\n")
        return "".join(lines).encode("latin-1"), length

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

    def _learned(self, name: str, value: str) -> tuple[str, str] | None:
        """The header's value and line; None for one that says something of the connection, or is no header."""
        if name not in self._last and not self._may_learn(name):
            return None
        if not VALUE.fullmatch(value):
            return None
        learned = self._last[name] = (value, f"{name}: {value}\r\n")
        return learned

    def _may_learn(self, name: str) -> bool:
        return len(self._last) < MOST_NAMES and bool(TOKEN_RE.fullmatch(name)) and not util.is_hoppish(name)
