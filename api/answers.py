"""Answers: JSON bodies, and what the client prefers (RFC 7240)."""

from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask, Response, request
from flask.json.provider import JSONProvider


class OrjsonProvider(JSONProvider):
    """Flask's JSON through orjson."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Serialize; keyword arguments of the standard library are not known."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse."""
        return orjson.loads(s)


def init_app(app: Flask) -> None:
    """Let Flask use orjson."""
    app.json = OrjsonProvider(app)


class Whole(Response):
    """An answer whose headers are complete as they are: its length is known, and its Location is what it should be."""

    def get_wsgi_headers(self, environ: Any) -> Any:
        """Nothing to work out."""
        return self.headers


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`body` as JSON."""
    return Whole(orjson.dumps(body), status, headers, mimetype="application/json")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What `Prefer` asks for: `wait` in seconds, None where it does not say."""

    wait: int | None = None
    respond_async: bool = False


NONE = Preferences()


def preferences() -> Preferences:
    """Those of the present request. What cannot be understood is passed over, as the RFC wants."""
    if "HTTP_PREFER" not in request.environ:
        return NONE
    wait, respond_async = None, False
    for preference in ",".join(request.headers.getlist("Prefer")).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if name == "wait" and wait is None and value.isascii() and value.isdigit() and len(value) <= 9:
            wait = int(value)
        respond_async = respond_async or name == "respond-async"
    return Preferences(wait, respond_async)
