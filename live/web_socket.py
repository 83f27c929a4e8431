"""A client's WebSocket, beside which frames that are ready can be put into its outbox."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import gevent
from engineio.async_drivers.gevent import WebSocketWSGI

from live.outbox import Outbox

TEXT = 0x81
"""FIN and the opcode of a text frame (RFC 6455, 5.2)."""

CLOSING_SECONDS = 2
"""For the client's answer to a close; without an end the greenlets of a client who is gone would wait for ever."""


def text_frame(text: str) -> bytes:
    """A server's whole text frame: unmasked and so the same for every client."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return bytes((TEXT, length)) + payload
    if length < 65_536:
        return bytes((TEXT, 126)) + length.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + length.to_bytes(8, "big") + payload


class WebSocket(WebSocketWSGI):  # type: ignore[misc]
    """Engine.IO's WebSocket over simple-websocket, with an outbox between that library and the client's socket."""

    def __init__(self, handler: Callable[..., Any], server: Any, open_sockets: MutableMapping[str, WebSocket]) -> None:
        super().__init__(handler, server)
        self.session = handler.__self__  # type: ignore[attr-defined]
        """The Engine.IO session (engineio's Socket), whose method `handler` is."""
        self.open_sockets = open_sockets
        self.outbox: Outbox

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Serve the connection until it ends; meanwhile it is one of `open_sockets`, by the session's id."""
        # permessage-deflate keeps a state for each client: nothing could be shared, and each message packed anew.
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        self.outbox = environ["gunicorn.socket"] = Outbox(environ["gunicorn.socket"])
        self.open_sockets[self.session.sid] = self
        try:
            return super().__call__(environ, start_response)
        finally:
            if self.open_sockets.get(self.session.sid) is self:
                del self.open_sockets[self.session.sid]

    def takes_frames(self) -> bool:
        """Whether a frame may be put past Engine.IO's queue: it is open, and nothing waits there to go first."""
        return self.session.upgraded and self.session.queue.empty()

    def close(self) -> None:
        """Say goodbye, and do not wait for the answer for ever."""
        super().close()
        gevent.spawn_later(CLOSING_SECONDS, self.outbox.cut)
