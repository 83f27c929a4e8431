"""What an answer does about a request's body that nobody has read: throw it away, or close the connection and say so.

A refusal is often answered before the body is read (RFC 9112, 9.3): without a word the rest of the body would be taken
for the next request, or the next request would be lost with the connection.
"""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.http.body import LengthReader

from serving.connection import TimedSocket
from serving.request_reader import PIECE

PATIENCE_SECONDS = 0.1
"""How long the rest of a body is waited for: many clients send a head and its body one after the other."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def settling_bodies(application: Application) -> Application:
    """`application`, whose answers keep the connection only where nothing of the request's body is left unread."""

    def settled(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            connection: TimedSocket = environ["gunicorn.socket"]
            if not _is_read(connection.request.body, connection):
                connection.request.force_close()
            return start_response(status, headers, exc_info)

        return application(environ, start)

    return settled


def _is_read(body: Any, connection: TimedSocket) -> bool:
    """True if all of the body has been read, after the rest was thrown away where it is small and already here."""
    if body is None:
        return True
    if not isinstance(body.reader, LengthReader) or body.reader.length > PIECE:
        return False
    if body.reader.length == 0:
        return True
    with contextlib.suppress(OSError), connection.within(PATIENCE_SECONDS):
        while body.read(PIECE):
            continue
        return True
    return False
