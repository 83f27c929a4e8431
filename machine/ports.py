"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from pathlib import Path

LOOPBACK = "127.0.0.1"
FIRST, LAST = 20_000, 32_000
"""Ports for embedded servers: above the well-known services and below the range that the kernel (Linux: from 32768,
macOS: from 49152) hands to outgoing connections, so that a server finds its port free again after a restart."""


BACKLOG = 2048
"""Connections that may wait to be accepted; the kernel's own limit may be lower."""


def listener(port: int, host: str = LOOPBACK) -> socket.socket:
    """A socket that listens on the port from now on. Raises OSError: EADDRINUSE where another one does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)
    except BaseException:
        found.close()
        raise
    return found


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True if nobody listens on the port; connections that are merely closing do not count.

    Raises PermissionError for a port that only root may listen on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise
        except OSError:
            return False
    return True


def random_free_port() -> int:
    """A free port, at random: several starts at once rarely choose the same, and who binds it must still try twice."""
    generator = random.SystemRandom()
    for _ in range(200):
        port = generator.randint(FIRST, LAST)
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def kept_or_random(file: Path | None) -> int:
    """The port that was noted in `file`, while it is free; else a random one."""
    if file is not None:
        with contextlib.suppress(OSError, ValueError):
            kept = int(file.read_text(encoding="ascii"))
            if is_free(kept):
                return kept
    return random_free_port()


def becomes_free(port: int, seconds: float) -> bool:
    """Wait until the port is free; False if it is not within this time. Whoever had it may still be about to leave."""
    deadline = time.monotonic() + seconds
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def next_free_port(first: int, host: str = LOOPBACK, without: frozenset[int] = frozenset()) -> int:
    """The first free port from `first` on that is not in `without`."""
    for port in range(first, 65_536):
        if port not in without and is_free(port, host):
            return port
    raise OSError(f"no free port from {first} on")
