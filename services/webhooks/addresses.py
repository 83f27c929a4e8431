"""Which addresses nobody is told at: those that are no public receiver's.

The standard library's `is_global` takes several of them for public, so the list is our own (IANA's special-purpose
registries of IPv4 and IPv6). It is asked with the address that is about to be connected to, not with a name.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

REFUSED_4: Final = tuple(
    ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
REFUSED_6: Final = tuple(
    ip_network(network)
    for network in (
        *("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32"),
        *("2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10"),
        "ff00::/8",
    )
)
"""With those that carry an IPv4 address to somewhere: translated (64:ff9b), 6to4 (2002), Teredo (in 2001::/23)."""


def address_of_text(text: str) -> Address:
    """The address, without its zone; one of IPv4 that is mapped into IPv6 is one of IPv4. Raises ValueError."""
    found = ip_address(text.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def is_public(address: Address) -> bool:
    """True if a receiver on the internet may have this address."""
    refused = REFUSED_4 if isinstance(address, IPv4Address) else REFUSED_6
    return not any(address in network for network in refused)


def literal_address(host: str) -> Address | None:
    """The address that a URL's host is without being looked up, in whatever way it is written; None for a name.

    The C library reads `127.1`, `2130706433`, `0x7f000001` and `0177.0.0.1` as addresses, and so do we.
    """
    with contextlib.suppress(ValueError):
        return address_of_text(host)
    with contextlib.suppress(OSError, ValueError):
        return IPv4Address(socket.inet_aton(host))
    return None


def is_own_door(address: Address, port: int, ports: Collection[int]) -> bool:
    """True if the exchange itself listens there: one of its `ports`, at an address of this machine."""
    return port in ports and is_of_this_machine(address)


def is_of_this_machine(address: Address) -> bool:
    """Whether the machine answers to the address: only then can a socket be bound to it."""
    if address.is_loopback or address.is_unspecified:
        return True
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
