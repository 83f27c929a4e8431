"""Receive a request's body: announced, of a known length, small enough and in time."""

import time

from flask import Request

from api.http.http_problems import BodyIncomplete, BodyTooLarge, BodyTooSlow, LengthRequired, UnsupportedMediaType
from api.http.problems import BodyNotExpected
from serving.present import pause
from settings.sections import Web

JSON = "application/json"
BODY_DEADLINE_MS = "MINEX_BODY_DEADLINE_MS"
"""Where the application keeps how long a body may take to arrive."""

LARGE = 4_096
"""Bytes that take a while to read: that is not begun before it is somebody's turn."""

BATCH_PATH = "/api/v1/orders/batch"


def body_limit(path: str, web: Web) -> int:
    """The most bytes that the body of a request for `path` may have."""
    return web.batch_body_limit_bytes if path == BATCH_PATH else web.body_limit_bytes


def refuse_chunked(request: Request) -> None:
    """Raises LengthRequired. A chunked body has no length to refuse beforehand, and servers disagree about its end."""
    if "HTTP_TRANSFER_ENCODING" in request.environ:
        raise LengthRequired


def refuse_large(request: Request, limit: int) -> None:
    """Raises BodyTooLarge, before any of the body is read; `limit` in bytes."""
    if "CONTENT_LENGTH" in request.environ and (request.content_length or 0) > limit:
        raise BodyTooLarge(f"A body may have at most {limit} bytes.", limit=limit)


def refuse_body(request: Request) -> None:
    """Raises BodyNotExpected for a body, however empty its JSON: its sender believes that it says something."""
    if request.environ.get("CONTENT_LENGTH", "0") not in ("0", "") and request.content_length:
        raise BodyNotExpected


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
    except ConnectionError as error:
        raise BodyIncomplete from error
    if length > LARGE:
        pause()
    if len(body) < length:
        late = time.monotonic() - began >= deadline_ms / 1000 * 0.9
        raise BodyTooSlow if late else BodyIncomplete
    return body
