"""Where a request comes from that a proxy has passed on: only proxies that the settings name are believed.

Each proxy adds at the right of X-Forwarded-For the address that asked it. So what is left of the first stranger, from
the right, is whatever that stranger wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

HEADER = "HTTP_X_FORWARDED_FOR"
PEER, PORT = "REMOTE_ADDR", "REMOTE_PORT"

UNKNOWN = ""
"""The address of nobody: it is on no list."""


class Proxies:
    """The proxies that are believed."""

    def __init__(self, networks: Sequence[str]) -> None:
        """`networks`: addresses, or networks in CIDR notation."""
        self._networks = [ip_network(network) for network in networks]

    def __bool__(self) -> bool:
        return bool(self._networks)

    def tell(self, environ: dict[str, Any]) -> None:
        """Let the request's address be that of the client, if a proxy that is believed has passed it on."""
        peer = _address(environ.get(PEER, ""))
        if peer is None or not self._has(peer) or HEADER not in environ:
            return
        environ[PEER], environ[PORT] = self._client(environ[HEADER], str(peer)), ""

    def _client(self, header: str, nearest: str) -> str:
        """The first from the right that is no proxy of ours; `nearest` where there are none but ours."""
        for word in reversed(header.split(",")):
            address = _address(word.strip())
            if address is None:
                return UNKNOWN
            if not self._has(address):
                return str(address)
            nearest = str(address)
        return nearest

    def _has(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)


def _address(word: str) -> IPv4Address | IPv6Address | None:
    """The address that a word stands for, with or without a port; None for none. IPv4 in IPv6 clothes is that."""
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        found = ip_address(word)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
