"""How many connections are open, and which goes when another comes: the one that has been idle for longest."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import Protocol

NETWORK = 64
"""Bits of an IPv6 address that are one customer's: the rest he may choose as he likes."""


class Evictable(Protocol):
    """A connection."""

    address: str
    """As `network_of` gives it."""

    def evict(self) -> None:
        """End it at once."""
        ...

    def close_if_idle(self) -> None:
        """End it, where its client has nothing to ask."""
        ...


class OpenConnections:
    """Those of one process. Times are told by their order alone."""

    def __init__(self, most: int, most_of_address: int) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._all = _Group()
        self._of_address: dict[str, _Group] = {}

    def __iter__(self) -> Iterator[Evictable]:
        return iter(list(self._all.members))

    def add(self, connection: Evictable) -> bool:
        """Take one more, idle as yet; another may go for it. False, and not taken, where all that might go are busy."""
        own = self._of_address.get(connection.address)
        crowded = own if own is not None and len(own.members) >= self._most_of_address else None
        if crowded is None and len(self._all.members) >= self._most:
            crowded = self._all
        if crowded is not None and not self._evict_from(crowded):
            return False
        own = self._of_address.setdefault(connection.address, _Group())
        for group in (self._all, own):
            group.members[connection] = group.idle[connection] = None
        return True

    def idle(self, connection: Evictable) -> None:
        """It has nothing to ask just now, or does not fetch what it was answered."""
        if connection in self._all.members:
            self._all.idle[connection] = self._of_address[connection.address].idle[connection] = None

    def busy(self, connection: Evictable) -> None:
        """It has asked for something; until it is answered it stays."""
        if connection in self._all.members:
            self._all.idle.pop(connection, None)
            self._of_address[connection.address].idle.pop(connection, None)

    def remove(self, connection: Evictable) -> None:
        """It has ended. Nothing for one that had to go."""
        self.busy(connection)
        if self._all.members.pop(connection, self) is None:
            own = self._of_address[connection.address]
            del own.members[connection]
            if not own.members:
                del self._of_address[connection.address]

    def _evict_from(self, group: _Group) -> bool:
        connection = next(iter(group.idle), None)
        if connection is None:
            return False
        self.remove(connection)
        connection.evict()
        return True


class _Group:
    """All connections, or those of one address."""

    __slots__ = ("idle", "members")

    def __init__(self) -> None:
        self.members: dict[Evictable, None] = {}
        self.idle: dict[Evictable, None] = {}
        """Those without a request, the longest first."""


def network_of(address: str) -> str:
    """What an address is counted by: itself, or of IPv6 its network; an IPv4 address in IPv6 clothes is that one."""
    if ":" not in address:
        return address
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> NETWORK << NETWORK)}/{NETWORK}"
