"""The door of Socket.IO: it opens to WebSocket handshakes only, and tells everybody else how to knock.

A client who polls leaves no connection behind on which it could be answered later, and Engine.IO waits for such clients
for ever. So nobody polls here.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import orjson

from live.http_problems import problem
from serving.forwarded import Proxies
from serving.raw_answers import MIMETYPE

PATH = "/socket.io/"
VERSION = "13"
"""Of the WebSocket protocol (RFC 6455, 4.1)."""

KEY_BYTES = 16

BODY = orjson.dumps(problem("websocket_only"))
HEADERS = [("Content-Type", MIMETYPE), ("Content-Length", str(len(BODY)))]

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class WebSocketsOnly:
    """A WSGI application in front of another one."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer 400 to what comes to Socket.IO's path and is no WebSocket handshake; pass on all else."""
        if environ["PATH_INFO"].startswith(PATH) and not is_handshake(environ):
            start_response("400 Bad Request", HEADERS)
            return [BODY]
        return self._application(environ, start_response)


class Believing:
    """A WSGI application in front of another one: who comes by way of a proxy of ours is whom the proxy names."""

    def __init__(self, application: Application, proxies: Proxies) -> None:
        self._application = application
        self._proxies = proxies

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass all on."""
        if self._proxies:
            self._proxies.tell(environ)
        return self._application(environ, start_response)


def is_handshake(environ: dict[str, Any]) -> bool:
    """True for a whole opening handshake (RFC 6455, 4.2.1) for Engine.IO's transport `websocket`."""
    connection = {token.strip().lower() for token in environ.get("HTTP_CONNECTION", "").split(",")}
    return (
        environ["REQUEST_METHOD"] == "GET"
        and parse_qs(environ.get("QUERY_STRING", "")).get("transport") == ["websocket"]
        and environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        and "upgrade" in connection
        and environ.get("HTTP_SEC_WEBSOCKET_VERSION") == VERSION
        and _is_key(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""))
    )


def _is_key(value: str) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False
