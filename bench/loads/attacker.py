"""An attack, as fast as one process can do it.

    python -m bench.loads.attacker NAME PORT KEY SYMBOL

It goes on until it is ended. KEY is a broker's, for attacks that need one. The system gives it the processor last, as
if it ran on a machine of its own: what is measured is what the exchange does about what it gets, not how the system
shares its processors between the two.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Final

from bench.loads.attacks import ATTACKS
from bench.loads.socket_attacks import SOCKET_ATTACKS
from bench.loads.target import Attack, Target

NICEST: Final = 19
AUTOGROUP: Final = Path("/proc/self/autogroup")


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


def _come_last() -> None:
    """Where Linux shares processors among sessions first, how nice a process is counts within its own only."""
    os.nice(NICEST)
    with contextlib.suppress(OSError):
        os.setsid()
        AUTOGROUP.write_text(str(NICEST), encoding="ascii")


def main() -> None:
    """Attack until ended."""
    name, port, key, symbol = sys.argv[1:]
    chosen = (ATTACKS | SOCKET_ATTACKS)[name]
    target = Target(int(port), key, symbol)
    _come_last()
    threading.stack_size(128 * 1024)
    for _ in range(chosen.connections):
        threading.Thread(target=attack, args=[chosen, target], daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
