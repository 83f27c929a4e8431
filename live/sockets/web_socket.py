"""A client's WebSocket: its messages one at a time, each in the client's turn, and an outbox for what is ready to go.

It takes the place of Engine.IO's own, over the protocol of the library wsproto. That one reads ahead in a greenlet of
its own, without an end, what nobody may have time for; here the next message is read when the last one is handled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import gevent
import socketio
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, Request, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import ProtocolError

from live.sockets.frames import text_frame
from live.sockets.outbox import Outbox
from live.sockets.pace import Pace
from live.sockets.sessions import forget, noting_pings
from serving.connection import TimedSocket

PIECE = 2_048
"""Bytes received at once: what is here is worked off at the client's pace, even if he has gone meanwhile."""

CLOSING_SECONDS = 2
"""For the client's answer to a close; without an end the greenlets of a client who is gone would wait for ever."""

MOST_CHARACTERS = 65_536
"""In one message of a client, in however many fragments it comes."""

EXPECTED = re.compile(r"1|3|4[0-6].*", re.DOTALL)
"""What Engine.IO 4 lets a client send over a WebSocket: close, pong, or a message with a Socket.IO packet in it."""

HANDSHAKE = (
    (b"host", b"localhost"),
    (b"upgrade", b"websocket"),
    (b"connection", b"upgrade"),
    (b"sec-websocket-version", b"13"),
)

BINARY = (CloseReason.UNSUPPORTED_DATA, "Nothing here takes binary data.")
MALFORMED = (CloseReason.PROTOCOL_ERROR, "This is no packet of Engine.IO 4.")
NO_FRAME = (CloseReason.PROTOCOL_ERROR, "This is no frame of the WebSocket protocol.")
TOO_BIG = (CloseReason.MESSAGE_TOO_BIG, "Message is too big")
NORMAL = (CloseReason.NORMAL_CLOSURE, None)
Farewell = tuple[int, str | None]
"""The code and the sentence (of at most 123 bytes) in the frame that closes a WebSocket."""


def accept_web_sockets(server: socketio.Server) -> dict[str, WebSocket]:
    """Let `server` have a WebSocket of ours for each client; those that are open, by Engine.IO session id."""
    open_sockets: dict[str, WebSocket] = {}

    def accept(handler: Callable[[Any], Any], _: Any) -> WebSocket:
        return WebSocket(handler, open_sockets)

    # A copy: the library's dictionary belongs to its module, and so to every server of the process.
    given = server.eio._async
    server.eio._async = {**given, "websocket": accept, "thread": noting_pings(given["thread"])}
    return open_sockets


class WebSocket:
    """One connection, as Engine.IO uses it: `wait`, `send`, `close`."""

    def __init__(self, handler: Callable[[Any], Any], open_sockets: MutableMapping[str, WebSocket]) -> None:
        self._handler = handler
        self.session: Any = handler.__self__  # type: ignore[attr-defined] # a method's, which Callable does not say
        """The Engine.IO session (engineio's Socket), whose method `handler` is."""
        self._open_sockets = open_sockets
        self.outbox: Outbox
        self._connection: TimedSocket
        self._socket: Any
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._events: Iterator[Event] = iter(())
        self._pace = Pace()
        self._farewell: Farewell | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Serve the connection until it ends; meanwhile it is one of the open sockets, by the session's id."""
        self._connection = environ["gunicorn.socket"]
        accepted = self._accepted(environ)
        self._socket, early = self._connection.hand_over()
        self.outbox = Outbox(self._socket)
        self.outbox.send(accepted)
        self._protocol.receive_data(early)
        self._events = self._protocol.events()
        self._open_sockets[self.session.sid] = self
        try:
            self._handler(self)
        finally:
            forget(self.session)
            if self._open_sockets.get(self.session.sid) is self:
                del self._open_sockets[self.session.sid]
            self.outbox.finish(CLOSING_SECONDS)
        raise StopIteration  # so gunicorn knows that nothing more is to be answered here

    def takes_frames(self) -> bool:
        """True if a frame may be sent past Engine.IO's queue, because nothing waits there to go first."""
        empty: bool = self.session.queue.empty()
        return empty

    def wait(self) -> str | None:
        """The client's next packet; None at the end, to which whatever is no packet leads."""
        try:
            message = self._message()
        except ProtocolError:
            self.refuse(NO_FRAME)
            return None
        if message is not None and not EXPECTED.fullmatch(message):
            self.refuse(MALFORMED)
        return None if self._farewell else message

    def send(self, message: str) -> None:
        """Let `message` be on its way. Raises OSError where nothing may be sent any more."""
        if self._protocol.state is not ConnectionState.OPEN:
            raise OSError("the WebSocket is closed")
        self.outbox.send(text_frame(message))

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
        if self._protocol.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
            self.outbox.send(self._protocol.send(CloseConnection(*self._farewell or NORMAL)))
        gevent.spawn_later(CLOSING_SECONDS, self.outbox.cut)

    def _accepted(self, environ: dict[str, Any]) -> bytes:
        """The answer to the opening handshake, which `live.handshake` has found to be whole.

        Only its key counts: of permessage-deflate each client would need a state of its own, and nothing could be
        shared; what else a client sends may be something that the library does not take.
        """
        key = environ["HTTP_SEC_WEBSOCKET_KEY"].encode()
        self._protocol.initiate_upgrade_connection([*HANDSHAKE, (b"sec-websocket-key", key)], "/")
        for event in self._protocol.events():
            if isinstance(event, Request):
                return self._protocol.send(AcceptConnection())
        raise ProtocolError("this is no opening handshake")

    def _message(self) -> str | None:
        """The client's next whole message; None at the end, or when he is to be told a farewell."""
        parts: list[str] = []
        characters = 0
        while self._farewell is None:
            event = next(self._events, None)
            if event is None:
                if not self._receive():
                    return None
                continue
            self._take_turn()
            if isinstance(event, TextMessage):
                parts += [event.data] if event.data else []
                characters += len(event.data)
                if characters > MOST_CHARACTERS:
                    self.refuse(TOO_BIG)
                elif event.message_finished:
                    return "".join(parts)
            elif isinstance(event, BytesMessage):
                self.refuse(BINARY)
            elif isinstance(event, CloseConnection):
                self._farewell = (event.code, event.reason)
            elif isinstance(event, Ping):
                self.outbox.send(self._protocol.send(event.response()))
        return None

    def _receive(self) -> bool:
        """Wait for more from the client; False at the end."""
        try:
            piece = self._socket.recv(PIECE)
        except OSError:
            return False
        if piece:
            self._protocol.receive_data(piece)
            self._events = self._protocol.events()
        return bool(piece)

    def _take_turn(self) -> None:
        """Before a frame is looked at: wait until it is this client's turn."""
        seconds = self._pace.seconds_to_wait()
        if seconds:
            gevent.sleep(seconds)
        self._connection.spoke()
