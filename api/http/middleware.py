"""What every request and every answer have: an id, limits, and headers that keep browsers from harm."""

import random
import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from api.http.body import BODY_DEADLINE_MS, body_limit, refuse_chunked, refuse_large
from api.http.errors import REQUEST_ID
from api.http.http_problems import HostMissing
from settings.sections import Settings

ACCEPTABLE_ID = re.compile(r"[\x21-\x7e]{1,128}")

ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
]
PRIVATE = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
]
"""Unless the view says otherwise: what is answered concerns one caller and one moment."""


def init_app(app: Flask, settings: Settings) -> None:
    """Check each request before its view, and complete each answer after it."""

    app.config[BODY_DEADLINE_MS] = settings.web.body_deadline_ms

    @app.before_request
    def begin() -> None:
        if "HTTP_HOST" not in request.environ and request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
            raise HostMissing
        refuse_chunked(request)
        refuse_large(request, body_limit(request.environ["PATH_INFO"], settings.web))

    app.wsgi_app = Completed(app.wsgi_app)  # type: ignore[method-assign]


class Completed:
    """Gives each request its id, and each answer its headers: on WSGI's plain lists, which costs next to nothing.

    Log entries that are written meanwhile say of which request they are. A connection's next request is handled by the
    same greenlet, so nothing may stay bound.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        identity = environ[REQUEST_ID] = _id_of(environ.get("HTTP_X_REQUEST_ID", ""))

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            given = {name.lower() for name, _ in headers}
            headers.append(("X-Request-ID", identity))
            headers.extend(ALWAYS)
            headers.extend(header for header in PRIVATE if header[0].lower() not in given)
            return start_response(status, headers, exc_info)

        bind_contextvars(request_id=identity, method=environ["REQUEST_METHOD"], path=environ["PATH_INFO"])
        try:
            return self._application(environ, start)
        finally:
            clear_contextvars()


def _id_of(offered: str) -> str:
    """The client's own id where it is harmless in a log, else a new one."""
    if offered and ACCEPTABLE_ID.fullmatch(offered):
        return offered
    return f"{random.getrandbits(128):032x}"
