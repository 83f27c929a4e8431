"""Receive a request's body: announced, of a known length, small enough and in time."""

import time

from flask import Request

from api.problems import BodyIncomplete, BodyTooLarge, BodyTooSlow, LengthRequired, UnsupportedMediaType

JSON = "application/json"


def refuse_chunked(request: Request) -> None:
    """Raises LengthRequired. A chunked body has no length to refuse beforehand, and servers disagree about its end."""
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired


def refuse_large(request: Request, limit: int) -> None:
    """Raises BodyTooLarge, before any of the body is read; `limit` in bytes."""
    if (request.content_length or 0) > limit:
        raise BodyTooLarge(f"A body may have at most {limit} bytes.", limit=limit)


def receive_json(request: Request, deadline_ms: int) -> bytes:
    """The body of a JSON request.

    The worker of the HTTP server ends the body when it has not arrived within `deadline_ms`; whether a short body is
    late or was cut by the client is told by the time it took. Raises UnsupportedMediaType, BodyTooSlow and
    BodyIncomplete.
    """
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    length = request.content_length or 0
    began = time.monotonic()
    try:
        body: bytes = request.environ["wsgi.input"].read(length)
    except TimeoutError as error:
        raise BodyTooSlow from error
    if len(body) < length:
        late = time.monotonic() - began >= deadline_ms / 1000 * 0.9
        raise BodyTooSlow if late else BodyIncomplete
    return body
