"""The present request, as views and what they use see it, whoever brought it to them: a direct route or Flask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import werkzeug.urls  # noqa: F401 - registers what is made of bytes that are no UTF-8

from logs import SUBJECT
from serving.forwarded import Proxies
from settings.processes import Web

Environ = dict[str, Any]
"""WSGI's."""

NOBODY = Proxies([])


@dataclass(frozen=True, slots=True)
class Shared:
    """What the requests of one process have in common."""

    components: Any
    """`api.components.Components`."""
    web: Web
    on_unavailable: Callable[[], None]
    """Called when a request is answered 503."""
    proxies: Proxies = NOBODY
    """Who is believed about where requests come from."""
    always: Sequence[tuple[str, str]] = ()
    """Headers that every answer has."""


class Call:
    """One request."""

    __slots__ = ("caller", "environ", "identity", "quota", "shared")

    def __init__(self, environ: Environ, shared: Shared, identity: str) -> None:
        """`identity`: the request's id, which its answer has, too."""
        self.environ = environ
        self.shared = shared
        self.identity = identity
        self.caller: Any = None
        """Who sent it, once that is known (`api.access.auth`)."""
        self.quota: Any = None
        """What is left of its broker's bucket, once it is charged (`api.access.charging`)."""

    @property
    def address(self) -> str:
        """Where it comes from."""
        return str(self.environ.get("REMOTE_ADDR", ""))

    def query(self) -> list[tuple[str, str]]:
        """The parameters of its query, in their order."""
        text = self.environ.get("QUERY_STRING", "")
        return parse_qsl(_as_utf8(text), keep_blank_values=True, errors="werkzeug.url_quote") if text else []

    def log_fields(self) -> dict[str, Any]:
        """What a log entry says of it."""
        fields = {
            "request_id": self.identity,
            "method": self.environ.get("REQUEST_METHOD", ""),
            "path": self.environ.get("PATH_INFO", ""),
        }
        broker_id = getattr(self.caller, "broker_id", None)
        return fields if broker_id is None else {**fields, "broker_id": broker_id}


_present: ContextVar[Call] = SUBJECT

present = _present.get
"""The present request's. Raises LookupError outside of one."""

begin, end = _present.set, _present.reset


def _as_utf8(text: str) -> str:
    """WSGI's texts are bytes taken for Latin-1."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")
