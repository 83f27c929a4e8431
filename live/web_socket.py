"""A client's WebSocket, beside which frames that are ready can be put into its outbox."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, MutableMapping
from typing import Any

import gevent
import socketio
from engineio.async_drivers.gevent import WebSocketWSGI
from wsproto.frame_protocol import CloseReason

from live.outbox import Outbox

TEXT = 0x81
"""FIN and the opcode of a text frame (RFC 6455, 5.2)."""

CLOSING_SECONDS = 2
"""For the client's answer to a close; without an end the greenlets of a client who is gone would wait for ever."""

MOST_CHARACTERS = 65_536
"""In one message of a client, in however many fragments it comes."""

EXPECTED = re.compile(r"1|3|4[0-6].*", re.DOTALL)
"""What Engine.IO 4 lets a client send over a WebSocket: close, pong, or a message with a Socket.IO packet in it."""

BINARY = (CloseReason.UNSUPPORTED_DATA, "Nothing here takes binary data.")
MALFORMED = (CloseReason.PROTOCOL_ERROR, "This is no packet of Engine.IO 4.")
Farewell = tuple[CloseReason, str]
"""The code and the sentence (of at most 123 bytes) in the frame that closes a WebSocket."""


def text_frame(text: str) -> bytes:
    """A server's whole text frame: unmasked and so the same for every client."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return bytes((TEXT, length)) + payload
    if length < 65_536:
        return bytes((TEXT, 126)) + length.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + length.to_bytes(8, "big") + payload


def accept_web_sockets(server: socketio.Server) -> dict[str, WebSocket]:
    """Let `server` have a WebSocket of ours for each client; those that are open, by Engine.IO session id."""
    open_sockets: dict[str, WebSocket] = {}
    accept = functools.partial(WebSocket, open_sockets=open_sockets)
    # A copy: the library's dictionary belongs to its module, and so to every server of the process.
    server.eio._async = {**server.eio._async, "websocket": accept}
    return open_sockets


class WebSocket(WebSocketWSGI):  # type: ignore[misc] # the library has no types
    """Engine.IO's WebSocket over simple-websocket, with an outbox between that library and the client's socket."""

    def __init__(self, handler: Callable[..., Any], server: Any, open_sockets: MutableMapping[str, WebSocket]) -> None:
        super().__init__(handler, server)
        self.server_args["max_message_size"] = MOST_CHARACTERS
        self.session: Any = handler.__self__  # type: ignore[attr-defined] # a method's, which Callable does not say
        """The Engine.IO session (engineio's Socket), whose method `handler` is."""
        self.open_sockets = open_sockets
        self.outbox: Outbox
        self._farewell: Farewell | None = None

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
        """True if a frame may be sent past Engine.IO's queue, because nothing waits there to go first."""
        empty: bool = self.session.queue.empty()
        return empty

    def wait(self) -> str | None:
        """The client's next packet; None at the end, to which whatever is no packet leads."""
        received = None if self._farewell else super().wait()
        if received is None:
            return None
        if not isinstance(received, str):
            self.refuse(BINARY)
        elif not EXPECTED.fullmatch(received):
            self.refuse(MALFORMED)
        return None if self._farewell else received

    def refuse(self, farewell: Farewell) -> None:
        """Take no packet any more; what was sent to the client still goes, and then `farewell`.

        Only for whoever handles a packet of this client: the one who waits for the next one then ends the connection.
        """
        self._farewell = farewell

    def end(self, farewell: Farewell) -> None:
        """End the connection from outside: what was sent to the client still goes, and then `farewell`."""
        self._farewell = farewell
        self.session.close(wait=False, abort=True)

    def close(self) -> None:
        """Say goodbye, and do not wait for the answer for ever."""
        if self.ws.connected:
            self.ws.close(*self._farewell or ())
        gevent.spawn_later(CLOSING_SECONDS, self.outbox.cut)
