"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
FIRST, LAST = 20_000, 32_000
"""Ports for embedded servers: above the well-known services and below the range that the kernel (Linux: from 32768,
macOS: from 49152) hands to outgoing connections, so that a server finds its port free again after a restart."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether nobody listens on the port; connections that are merely closing do not count."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
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


def next_free_port(first: int, host: str = LOOPBACK, without: frozenset[int] = frozenset()) -> int:
    """The first free port from `first` on that is not in `without`."""
    for port in range(first, 65_536):
        if port not in without and is_free(port, host):
            return port
    raise OSError(f"no free port from {first} on")
