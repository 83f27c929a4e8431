"""An HTTP server that takes webhooks, verifies them as they came, and prints them."""

from __future__ import annotations

import contextlib
import json
from collections import OrderedDict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click

from cli.terminal import say
from services.webhooks.signing import ID, WrongSignature, verify

LONGEST_BODY = 1_048_576
"""Bytes."""

PATIENCE_SECONDS = 10.0
"""How long somebody may take to send his request."""

REMEMBERED = 10_000
"""Messages that are known again when they come a second time."""


class Listener:
    """Takes messages at an address until it is stopped."""

    def __init__(self, host: str, port: int, secret: str, status: int, *, as_json: bool) -> None:
        """Raises OSError where it cannot listen."""
        self.secret = secret
        """That of the hook; it may come once it is known where it listens."""
        self._status = status
        self._as_json = as_json
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._server = ThreadingHTTPServer((host, port), self._handler())
        self._server.daemon_threads = True
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_address[1]}/"

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def serve(self) -> None:
        """Until Ctrl+C, or `stop` of another thread."""
        with contextlib.suppress(KeyboardInterrupt):
            self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """End `serve`."""
        self._server.shutdown()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Verify one message and print it; the status to answer with."""
        try:
            verify(self.secret, headers, body)
            message = json.loads(body)
        except WrongSignature as wrong:
            say(f"✗ refused: {wrong}")
            return HTTPStatus.UNAUTHORIZED
        except ValueError:
            say("✗ refused: the body is no JSON")
            return HTTPStatus.BAD_REQUEST
        message_id = next(value for name, value in headers.items() if name.lower() == ID)
        again = message_id in self._seen
        self._seen[message_id] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        click.echo(body.decode() if self._as_json else _line(message, again=again))
        return self._status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = PATIENCE_SECONDS

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not (length.isascii() and length.isdecimal()):
                    self._say(HTTPStatus.LENGTH_REQUIRED, keep=False)
                elif int(length) > LONGEST_BODY:
                    self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, keep=False)
                else:
                    self._say(listener.take(dict(self.headers.items()), self.rfile.read(int(length))))

            def do_GET(self) -> None:
                self._say(HTTPStatus.METHOD_NOT_ALLOWED)

            def _say(self, status: int, *, keep: bool = True) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                if not keep:
                    self.close_connection = True
                    self.send_header("Connection", "close")
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nothing: what counts is printed."""

        return Handler


def _line(message: dict[str, Any], *, again: bool) -> str:
    """One message for people."""
    if message.get("event") != "trade_executed":
        return f"{message.get('event')}  {json.dumps(message, ensure_ascii=False)}" + ("  (again)" if again else "")
    side = "bought" if message["side"] == "bid" else "sold"
    return (
        f"{message['executed_at']}  #{message['sequence']}  {side} {message['quantity']} {message['symbol']}"
        f" @ {message['price'] / 100:.2f}  order {message['order_id']}, {message['order_remaining_quantity']} left"
        f"  {message['liquidity']}, fee {message['fee'] / 100:.2f}" + ("  (again)" if again else "")
    )
