"""Where connections come in. One that has said nothing yet has no greenlet: it costs a look of the event loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from gevent import get_hub
from gevent.server import StreamServer
from gevent.socket import socket as GreenSocket

from serving.open_connections import OpenConnections, network_of

READABLE = 1
"""An event of libev's."""


class Entrance(StreamServer):
    """Accepts connections, and has each served once it says something, if it does within `seconds`."""

    def __init__(
        self, listener: Any, handle: Callable[[Any, Any], None], spawn: Any, others: OpenConnections, seconds: float
    ) -> None:
        super().__init__(listener, handle=handle, spawn=spawn)
        self._others = others
        self._seconds = seconds

    def do_read(self) -> Any:
        """The next connection, as the number of its descriptor, and where it comes from; None for none."""
        try:
            listener: Any = self.socket
            descriptor, address = listener._accept()
        except BlockingIOError:
            return None
        os.set_blocking(descriptor, False)
        return descriptor, address

    def do_handle(self, *accepted: Any) -> None:
        """Take it, silent as yet; where there is no place, have that told."""
        descriptor, address = accepted
        silent = Silent(descriptor, address[0] if isinstance(address, tuple) else "", self._others)
        if self._others.add(silent):
            silent.listen(self._seconds, lambda: self._serve(descriptor, address))
        else:
            self._serve(descriptor, address)

    def do_close(self, connection: Any, *_: Any) -> None:
        """End one that could not be served."""
        if isinstance(connection, int):
            os.close(connection)
        else:
            connection.close()

    def _serve(self, descriptor: int, address: Any) -> None:
        """Hand it on, unless too many are on their way out: here nobody can wait for them."""
        if self.full():
            os.close(descriptor)
            return
        family, kind, protocol = self.socket.family, self.socket.type, self.socket.proto
        super().do_handle(GreenSocket(family, kind, protocol, fileno=descriptor), address)


class Silent:
    """A connection whose client has not said anything yet."""

    __slots__ = ("_descriptor", "_others", "_timer", "_watcher", "address")

    def __init__(self, descriptor: int, address: str, others: OpenConnections) -> None:
        self.address = network_of(address)
        self._descriptor = descriptor
        self._others = others
        self._watcher: Any = None
        self._timer: Any = None

    def listen(self, seconds: float, said: Callable[[], None]) -> None:
        """Call `said` when there is something to be read; end it when there is nothing for so long."""
        loop: Any = get_hub().loop
        self._watcher = loop.io(self._descriptor, READABLE)
        self._watcher.start(self._hear, said)
        self._timer = loop.timer(seconds)
        self._timer.start(self.close_if_idle, update=False)

    def evict(self) -> None:
        """End it at once."""
        self._listen_no_more()
        os.close(self._descriptor)

    def close_if_idle(self) -> None:
        """End it: its client has nothing to ask."""
        self._others.remove(self)
        self.evict()

    def _hear(self, said: Callable[[], None]) -> None:
        self._listen_no_more()
        self._others.remove(self)
        said()

    def _listen_no_more(self) -> None:
        for watcher in (self._watcher, self._timer):
            watcher.stop()
            watcher.close()
