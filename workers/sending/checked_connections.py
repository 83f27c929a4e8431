"""Connections of the library `requests` that are made to checked addresses alone.

The address is looked up, checked and connected to here, in one: an answer of the name service that changes between
look-up and connect changes nothing. TLS still asks for the name, for only the socket is made another way.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from services.webhooks.addresses import Address, address_of_text

Refused = Callable[[Address, int], bool]
"""Whether nothing may be sent to this address and port."""


class AddressRefused(Exception):
    """The name stands for an address that nothing is sent to."""


class CheckedAdapter(HTTPAdapter):
    """Connects where `refused` does not object; `connected` is told of each new socket, before TLS takes it over."""

    def __init__(self, refused: Refused, connected: Callable[[socket.socket], None]) -> None:
        self._pools = _pools(refused, connected)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Make the pools of our own kind."""
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools


def _pools(refused: Refused, connected: Callable[[socket.socket], None]) -> dict[str, type[HTTPConnectionPool]]:
    def new_socket(connection: HTTPConnection) -> socket.socket:
        sock = _connect(connection, refused)
        connected(sock)
        return sock

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return new_socket(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return new_socket(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _connect(connection: HTTPConnection, refused: Refused) -> socket.socket:
    """A socket to the first address of the connection's host that answers; none if one of them is refused."""
    port = connection.port or 0
    try:
        found = socket.getaddrinfo(connection.host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        gai = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(connection.host, connection, gai) from error
    for *_, (text, *_) in found:
        if refused(address_of_text(str(text)), port):
            raise AddressRefused(str(text))
    broken: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(connection.timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as error:
            sock.close()
            broken = error
            continue
        if refused(address_of_text(str(sock.getpeername()[0])), port):
            sock.close()
            raise AddressRefused(str(text))
        return sock
    if isinstance(broken, TimeoutError):
        raise ConnectTimeoutError(connection, "nobody answers") from broken
    raise NewConnectionError(connection, str(broken.strerror or broken)) from broken
