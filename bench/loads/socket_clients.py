"""Many Socket.IO clients on one stock, in a process of its own.

    python -m bench.loads.socket_clients WANTED.json FOUND.json

All clients look whether a sequence is missing. Every twentieth reads each message the moment it comes, and notes when;
the others look ten times a second, which is as good for what is lost and leaves the processor to the exchange. The
server does not see the difference: what a client has not read yet waits in the kernel.
"""

from __future__ import annotations

import itertools
import json
import selectors
import sys
import time
from pathlib import Path
from typing import Any, Final

from bench.loads.web_socket import Mute, Subscriber

ONE_WATCHER_IN: Final = 20
TURNS: Final = 10
TURN_SECONDS: Final = 0.01
"""In each turn a tenth of the others look, so that the watchers are never kept waiting for long."""

PATIENCE_SECONDS: Final = 30
"""For what has not arrived when the load has ended."""


class Audience:
    """All clients."""

    def __init__(self, port: int, symbol: str, clients: int, most: int) -> None:
        self.clients = [Subscriber(port, symbol, most) for _ in range(clients)]
        self.watchers = self.clients[::ONE_WATCHER_IN]
        watched = {id(client) for client in self.watchers}
        others = [client for client in self.clients if id(client) not in watched]
        self._turns = itertools.cycle([others[turn::TURNS] for turn in range(TURNS)])
        self.arrived: list[tuple[int, float]] = []
        """Each sequence that a watcher got, and when: seconds since 1970."""
        self._selector = selectors.DefaultSelector()
        for client in self.watchers:
            self._selector.register(client.socket, selectors.EVENT_READ, client)

    def take_turn(self) -> None:
        """Watch for TURN_SECONDS, then look at what a tenth of the others got."""
        deadline = time.monotonic() + TURN_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                watcher: Subscriber = key.data
                sequences = watcher.receive()
                now = time.time()
                self.arrived.extend((sequence, now) for sequence in sequences)
                if watcher.closed:
                    self._selector.unregister(watcher.socket)
        for client in next(self._turns):
            if not client.closed:
                client.receive()

    def lost(self, last: int) -> int:
        """Over all clients, the sequences up to `last` that never came."""
        return sum(client.lost(last) for client in self.clients)


def main() -> None:
    """Connect, say so by the file `ready`, listen until the file `ended` names the last sequence, report."""
    wanted: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    began = time.monotonic()
    mute = [Mute(wanted["port"], wanted["symbol"], is_stream=number % 2 == 0) for number in range(wanted["mute"])]
    audience = Audience(wanted["port"], wanted["symbol"], wanted["clients"], wanted["most"])
    Path(wanted["ready"]).write_text(str(time.monotonic() - began), encoding="ascii")
    ended = Path(wanted["ended"])
    while not ended.exists():
        audience.take_turn()
    last = int(ended.read_text(encoding="ascii"))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while audience.lost(last) and time.monotonic() < deadline:
        for _ in range(TURNS):
            audience.take_turn()
    found = {
        "lost": audience.lost(last),
        "repeated": sum(client.repeated for client in audience.clients),
        "closed": sum(client.closed for client in audience.clients),
        "arrived": audience.arrived,
        "mute": len(mute),
    }
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
