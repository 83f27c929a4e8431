"""Answers: JSON bodies, written by orjson."""

from typing import Any

import orjson
from flask import Flask, Response
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


class FinalResponse(Response):
    """An answer whose headers are complete as they are: its length is known, and its Location is what it should be."""

    def get_wsgi_headers(self, environ: Any) -> Any:
        """Nothing to work out."""
        return self.headers


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`body` as JSON."""
    return FinalResponse(orjson.dumps(body), status, headers, mimetype="application/json")
