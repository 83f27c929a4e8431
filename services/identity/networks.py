"""Networks from which a key may be used, in CIDR notation."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network

MAPPED: Final = IPv6Network("::ffff:0:0/96")
"""Where IPv6 has the addresses of IPv4: there they are the same hosts."""


def network_of_text(text: str) -> Network:
    """The network, of one address or more. Raises ValueError, also where an address is written for its network."""
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.prefixlen >= MAPPED.prefixlen and network.subnet_of(MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - MAPPED.prefixlen))
    return network


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """True if one of them has the address; False for what is no address, of which nothing is known."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    found = found if mapped is None else mapped
    return any(found in network for network in networks)


def are_within(inner: Iterable[Network], outer: Iterable[Network]) -> bool:
    """True if each network of `inner` lies in one of `outer`."""
    wide = tuple(outer)
    return all(any(_is_part(network, other) for other in wide) for network in inner)


def _is_part(network: Network, other: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and network.subnet_of(other)
    return isinstance(other, IPv6Network) and network.subnet_of(other)
