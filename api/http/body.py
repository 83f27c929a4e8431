"""Receive a request's body: announced, of a known length, small enough and in time."""

import time

from api.http.answers import JSON
from api.http.calls import Environ
from api.http.http_problems import BodyIncomplete, BodyTooLarge, BodyTooSlow, LengthRequired, UnsupportedMediaType
from api.http.problems import BodyNotExpected
from serving.present import pause
from settings.processes import Web

LARGE = 4_096
"""Bytes that take a while to read: that is not begun before it is somebody's turn."""

BATCH_PATH = "/api/v1/orders/batch"


def body_limit(path: str, web: Web) -> int:
    """The most bytes that the body of a request for `path` may have."""
    return web.batch_body_limit_bytes if path == BATCH_PATH else web.body_limit_bytes


def refuse_chunked(environ: Environ) -> None:
    """Raises LengthRequired. A chunked body has no length to refuse beforehand, and servers disagree about its end."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise LengthRequired


def refuse_large(environ: Environ, limit: int) -> None:
    """Raises BodyTooLarge, before any of the body is read; `limit` in bytes."""
    if "CONTENT_LENGTH" in environ and length_of(environ) > limit:
        raise BodyTooLarge(f"A body may have at most {limit} bytes.", limit=limit)


def length_of(environ: Environ) -> int:
    """Bytes that the request's body has, as it says itself; 0 where it does not."""
    length = environ.get("CONTENT_LENGTH", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def is_json(content_type: str) -> bool:
    """Whether a body of this type is JSON; parameters do not count."""
    return content_type == JSON or content_type.partition(";")[0].strip().lower() == JSON


def refuse_body(environ: Environ) -> None:
    """Raises BodyNotExpected for a body, however empty its JSON: its sender believes that it says something."""
    if "CONTENT_LENGTH" in environ and length_of(environ):
        raise BodyNotExpected


def receive_json(environ: Environ, deadline_ms: int) -> bytes:
    """The body of a JSON request.

    The worker of the HTTP server ends the body when it has not arrived within `deadline_ms`; whether a short body is
    late or was cut by the client is told by the time it took. Raises UnsupportedMediaType, BodyTooSlow and
    BodyIncomplete.
    """
    if not is_json(environ.get("CONTENT_TYPE", "")):
        raise UnsupportedMediaType
    length = length_of(environ)
    began = time.monotonic()
    try:
        body: bytes = environ["wsgi.input"].read(length)
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
