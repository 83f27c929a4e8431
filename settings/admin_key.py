"""An administrator's key of one's own: that it can be sent, and that nobody guesses it."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from settings.values import SettingsError

LONGEST_KEY: Final = 256
"""Characters of any key; ours have about 50."""

SHORTEST: Final = 16
SHORTEST_IN_PUBLIC: Final = 32
"""Characters, where only this machine can try keys, and where strangers can."""

SENDABLE: Final = re.compile(r"[\x21-\x7e]*")
"""Whatever else is in a header is cut off, taken for something else, or never arrives."""


def check_admin_key(key: str, place: str, hosts: tuple[str, ...]) -> None:
    """Raises SettingsError, which names `place` and never the key, unless it is empty or will do for these `hosts`."""
    if not key:
        return
    if not SENDABLE.fullmatch(key):
        raise SettingsError(f"{place}: expected printable ASCII characters without blanks, which a header can carry")
    if len(key) > LONGEST_KEY:
        raise SettingsError(f"{place}: expected at most {LONGEST_KEY} characters, not {len(key)}")
    if len(key) < SHORTEST:
        raise SettingsError(f"{place}: expected at least {SHORTEST} characters, not {len(key)}")
    public = [host for host in hosts if not is_loopback(host)]
    if public and len(key) < SHORTEST_IN_PUBLIC:
        raise SettingsError(
            f"{place}: expected at least {SHORTEST_IN_PUBLIC} characters, not {len(key)}, "
            f"where others can try keys (host {public[0] or 'any'!r})"
        )


def is_loopback(host: str) -> bool:
    """True if only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
