"""An attack, as fast as one process can do it.

    python -m bench.loads.attacker NAME PORT KEY SYMBOL

It goes on until it is ended. KEY is a broker's, for attacks that need one. The system gives it the processor last: what
is measured is what the exchange does about it, not how the system shares two processors between the two.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from typing import Final

from bench.loads.attacks import ATTACKS
from bench.loads.socket_attacks import SOCKET_ATTACKS
from bench.loads.target import Attack, Target

NICEST: Final = 19


def attack(chosen: Attack, target: Target) -> None:
    """One connection's part, again and again."""
    while True:
        with contextlib.suppress(OSError), target.connect() as client:
            if chosen.fetches and not chosen.anew:
                threading.Thread(target=_fetch, args=[client], daemon=True).start()
            sent = False
            for piece in chosen.send(target):
                client.sendall(piece)
                sent = True
                if chosen.anew:
                    client.recv(65_536)
                    break
            if not sent:
                client.settimeout(None)
                client.recv(1)


def _fetch(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while client.recv(1_000_000):
            continue


def main() -> None:
    """Attack until ended."""
    name, port, key, symbol = sys.argv[1:]
    chosen = (ATTACKS | SOCKET_ATTACKS)[name]
    target = Target(int(port), key, symbol)
    os.nice(NICEST)
    threading.stack_size(128 * 1024)
    for _ in range(chosen.connections):
        threading.Thread(target=attack, args=[chosen, target], daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
