"""What a hook's url has to be, as far as it can be seen without looking its host up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from services.webhooks.addresses import is_own_door, is_public, literal_address

LONGEST_URL: Final = 2_048
"""Characters."""

PORTS: Final = {"http": 80, "https": 443}
SCHEME_RULE: Final = "Must be an http or https URL."


def check_url(url: str) -> None:
    """Raises ValueError, with a sentence for people, unless it is an http(s) URL with a host and no password in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(SCHEME_RULE) from error
    if parts.scheme not in PORTS or not parts.hostname or port == 0 or any(letter.isspace() for letter in url):
        raise ValueError(SCHEME_RULE)
    if parts.username is not None or parts.password is not None:
        raise ValueError("Must not hold a user name or a password.")
    try:
        parts.hostname.encode("idna")
    except UnicodeError as error:
        raise ValueError(SCHEME_RULE) from error


def refused_address(url: str, own_ports: Collection[int], *, allow_private: bool) -> str | None:
    """Why nothing is ever sent to this url, whose host is an address or this machine; None where nothing is wrong.

    A name is looked up at each attempt only.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode().rstrip(".")
    is_local_name = host == "localhost" or host.endswith(".localhost")
    address = literal_address("127.0.0.1" if is_local_name else host)
    if address is None:
        return None
    if is_own_door(address, parts.port or PORTS[parts.scheme], own_ports):
        return "This is the exchange itself."
    if not allow_private and not is_public(address):
        return "Deliveries go to public addresses only."
    return None
