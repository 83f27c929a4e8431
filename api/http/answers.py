"""Answers: JSON bodies, written by orjson, which a server can send as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from flask import Flask, Response
from flask.json.provider import JSONProvider
from werkzeug.http import HTTP_STATUS_CODES

JSON: Final = "application/json"

STATUS_LINES: Final = {status: f"{status} {phrase.upper()}" for status, phrase in HTTP_STATUS_CODES.items()}
"""As Flask writes them."""

NO_CONTENT: Final = 204


class Answer:
    """What a view answers. Its headers are complete as they are."""

    __slots__ = ("body", "cookies", "headers", "mimetype", "status")

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        mimetype: str = JSON,
        cookies: Sequence[str] = (),
    ) -> None:
        """`cookies`: as Set-Cookie has them, each in a header of its own."""
        self.status = status
        self.body = body
        self.headers = headers or {}
        self.mimetype = mimetype
        self.cookies = cookies

    def all_headers(self) -> list[tuple[str, str]]:
        """Those and what they leave to the body: of what kind it is, and how long."""
        headers = [*self.headers.items()]
        if self.cookies:
            headers += [("Set-Cookie", cookie) for cookie in self.cookies]
        if self.status == NO_CONTENT:
            return headers
        return [("Content-Type", self.mimetype), ("Content-Length", str(len(self.body))), *headers]


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


def as_response(answer: Answer) -> Response:
    """The same for Flask."""
    response = FinalResponse(answer.body, answer.status)
    response.headers.clear()
    response.headers.extend(answer.all_headers())
    return response


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None, cookies: Sequence[str] = ()) -> Answer:
    """`body` as JSON."""
    return Answer(status, orjson.dumps(body), headers, cookies=cookies)
