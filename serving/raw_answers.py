"""A problem (RFC 9457) as the bytes of a whole answer, for what never gets to an application."""

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

MIMETYPE = "application/problem+json"
ANSWER = "HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\nX-Request-ID: {}\r\n{}\r\n"


def raw_answer(problem: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """The answer that says `problem`, which has a `status`, and closes the connection."""
    request_id = secrets.token_hex(16)
    body = orjson.dumps({**problem, "request_id": request_id})
    status = HTTPStatus(problem["status"])
    more = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return ANSWER.format(status.value, status.phrase, MIMETYPE, len(body), request_id, more).encode() + body
