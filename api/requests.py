"""What every request and every answer have: an id, limits, and headers that keep browsers from harm."""

import re
import secrets

from flask import Flask, Response, g, request

from api.body import refuse_chunked, refuse_large
from api.errors import request_id
from api.problems import HostMissing
from config import Settings

REQUEST_ID = "X-Request-ID"
ACCEPTABLE_ID = re.compile(r"[\x21-\x7e]{1,128}")

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
PRIVATE = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
"""Unless the view says otherwise: what is answered concerns one caller and one moment."""


def init_app(app: Flask, settings: Settings) -> None:
    """Check each request before its view, and complete each answer after it."""

    @app.before_request
    def begin() -> None:
        g.request_id = _id_of(request.headers.get(REQUEST_ID, ""))
        if "Host" not in request.headers and request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
            raise HostMissing
        refuse_chunked(request)
        refuse_large(request, settings.web.body_limit_bytes)

    @app.after_request
    def complete(response: Response) -> Response:
        response.headers[REQUEST_ID] = request_id()
        for name, value in {**ALWAYS, **PRIVATE}.items():
            response.headers.setdefault(name, value)
        return response


def _id_of(offered: str) -> str:
    """The client's own id where it is harmless in a log, else a new one."""
    return offered if ACCEPTABLE_ID.fullmatch(offered) else secrets.token_hex(16)
