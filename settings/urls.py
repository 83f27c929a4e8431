"""Urls of servers: composed, checked and completed, whatever characters stand in a password."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

POSTGRESQL: Final = ("postgresql", "postgres", "postgresql+psycopg")
REDIS: Final = ("redis", "rediss", "unix")

HALF_ENCODED: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
"""A driver would refuse it, and repeat it in its error; `completed` mends only what stands before the host."""


def server_url(scheme: str, host: str, port: int, path: str = "", *, user: str = "", password: str = "") -> str:
    """`scheme://user:password@host:port/path`; each part is encoded where it must be."""
    place = f"[{host}]" if ":" in host else host
    tail = f"/{quote(path, safe='/')}" if path else ""
    return f"{scheme}://{_credentials(user, password)}{place}:{port}{tail}"


def socket_url(path: str, *, user: str = "", password: str = "") -> str:
    """`unix://user:password@/path/of/the/socket`, as Redis's clients know it."""
    return f"unix://{_credentials(user, password)}{quote(path, safe='/')}"


def is_url_of(url: str, schemes: tuple[str, ...]) -> bool:
    """True if the url has one of these schemes and can be taken apart; an empty one names no server and will do."""
    if not url:
        return True
    try:
        parts = urlsplit(url)
        whole = not parts.fragment and not HALF_ENCODED.search(f"{parts.path}?{parts.query}")
        return parts.scheme in schemes and whole and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def plain(url: str) -> str:
    """The url as libpq knows it: without the name of a driver."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


def completed(url: str, password: str) -> str:
    """The url with `password` where it has none of its own, and its credentials encoded.

    `postgresql://minex:p@ss@host/minex` means what its writer meant: drivers would look for the host `ss@host`.
    """
    parts = urlsplit(url)
    credentials, _, place = parts.netloc.rpartition("@")
    user, _, own = credentials.partition(":")
    known = _credentials(unquote(user), unquote(own) or password)
    return f"{parts.scheme}://{known}{place}{url.partition('://')[2][len(parts.netloc) :]}" if url else ""


def _credentials(user: str, password: str) -> str:
    if not user and not password:
        return ""
    secret = f":{quote(password, safe='')}" if password else ""
    return f"{quote(user, safe='')}{secret}@"
