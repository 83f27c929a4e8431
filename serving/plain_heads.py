"""The heads of plain HTTP requests, read at once.

A plain head is one whose meaning nobody could dispute: a known method, a path without escapes, names of letters, digits
and hyphens, values of printable ASCII, none twice, none that changes how the message is framed or who is believed. For
these WSGI's environment is made here, in a fraction of the time; whatever else a client sends is left to gunicorn's
parser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

LONGEST: Final = 4_094
"""Bytes of a plain head: less than each of gunicorn's limits for the parts of one."""

MOST_FIELDS: Final = 64

MOST_KNOWN: Final = 2_000
"""Requests whose header lines are remembered, some 5 MB; beyond that the memory starts anew."""

FIRST_LINE: Final = re.compile(
    rb"(GET|POST|PUT|DELETE) (/(?:[!$&-.0-;=@-Z_a-z~][!$&-;=@-Z_a-z~]*)?)(\?([!$-;=?-Z_a-z~]*))? HTTP/1\.1\r\n"
)
"""Method, path and query. No character of the path stands for another: neither `%` nor `#`, and no `//` to begin
with."""

FIELDS: Final = re.compile(rb"((?:[A-Za-z0-9-]+:[\t -~]*\r\n)*)\r\n")

NOT_PLAIN: Final = {
    *("TRANSFER-ENCODING", "EXPECT", "UPGRADE", "TE", "TRAILER", "HTTP2-SETTINGS", "PROXY-CONNECTION", "KEEP-ALIVE"),
    *("SCRIPT-NAME", "PATH-INFO", "X-FORWARDED-PROTOCOL", "X-FORWARDED-PROTO", "X-FORWARDED-SSL"),
}
"""Headers that gunicorn does more with than to pass them on."""

LENGTH: Final = re.compile(r"[0-9]{1,15}")

WELL_KNOWN: Final = (
    *("Host", "User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Authorization", "Connection", "Origin"),
    *("Referer", "Prefer", "X-Request-ID", "Cache-Control", "Pragma", "Content-Length", "Content-Type", "Cookie"),
    *("If-None-Match", "X-Forwarded-For", "X-Real-IP", "Traceparent"),
    *("Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User"),
)
"""Whose keys are worked out once. All others are looked up anew, for a stranger may think of any number."""


class PlainHead(NamedTuple):
    """What a plain head says."""

    environ: dict[str, Any]
    """WSGI's, but for the body."""
    length: int
    """Bytes of the body."""
    closes: bool
    """Whether the client wants no other answer on this connection."""


class Said(NamedTuple):
    """What header lines say, as `PlainHead`: HTTP_… and CONTENT_…, which nothing else of an environment is called."""

    environ: dict[str, str]
    length: int
    closes: bool


def key_of(name: str) -> str | None:
    """WSGI's key for a header of this name; None where it is not plain."""
    upper = name.upper()
    if upper in NOT_PLAIN:
        return None
    key = upper.replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


KEYS: Final[dict[str, str | None]] = {
    spelled: key_of(name) for name in WELL_KNOWN for spelled in (name, name.lower(), name.upper())
}


class PlainHeads:
    """Reads those of one worker. Whoever asks again mostly sends the same header lines: they are remembered."""

    def __init__(self) -> None:
        self._known: dict[bytes, Said] = {}

    def __len__(self) -> int:
        """How many header lines are remembered."""
        return len(self._known)

    def read(self, head: bytes, base: Mapping[str, Any]) -> PlainHead | None:
        """What this whole head says; None where it is not plain. `base`: what is true of all on a connection."""
        end = head.find(b"\r\n") + 2
        found = FIRST_LINE.fullmatch(head, 0, end) if len(head) <= LONGEST else None
        if found is None:
            return None
        fields = head[end:]
        said = self._known.get(fields) or self._learned(fields)
        if said is None:
            return None
        method, path, asked, query = found.groups(b"")
        environ = {**base, **said.environ}
        environ["REQUEST_METHOD"] = method.decode("ascii")
        environ["PATH_INFO"] = path.decode("ascii")
        environ["QUERY_STRING"] = query.decode("ascii")
        environ["RAW_URI"] = (path + asked).decode("ascii")
        return PlainHead(environ, said.length, said.closes)

    def _learned(self, fields: bytes) -> Said | None:
        said = _said(fields)
        if said is not None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[fields] = said
        return said


def _said(fields: bytes) -> Said | None:
    """What the header lines say, to the end of the head; None where they are not plain."""
    found = FIELDS.fullmatch(fields)
    if found is None:
        return None
    lines = found[1].decode("ascii").split("\r\n")
    lines.pop()
    if len(lines) > MOST_FIELDS:
        return None
    environ: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = KEYS.get(name) or key_of(name)
        if key is None:
            return None
        environ[key] = value.strip(" \t")
    if len(environ) != len(lines):
        return None  # something came twice
    length = environ.get("CONTENT_LENGTH", "0")
    connection = environ.get("HTTP_CONNECTION", "keep-alive").lower()
    if not LENGTH.fullmatch(length) or connection not in ("keep-alive", "close"):
        return None
    return Said(environ, int(length), connection == "close")
