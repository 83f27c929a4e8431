"""How far a key reaches: what it may do, until when and from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.identity.networks import Network, are_within, is_within, network_of_text


@dataclass(frozen=True, slots=True)
class Reach:
    """None for always, and for everywhere."""

    scopes: frozenset[str]
    expires_at: datetime | None = None
    networks: tuple[Network, ...] | None = None

    @property
    def is_limited(self) -> bool:
        """Whether it is not for always and everywhere."""
        return self.expires_at is not None or self.networks is not None

    def has_ended(self, now: datetime) -> bool:
        """True if its time is over."""
        return self.expires_at is not None and self.expires_at <= now

    def is_good_from(self, address: str) -> bool:
        """True if it may be used from this address; an address that cannot be read is none of its own."""
        return self.networks is None or is_within(address, self.networks)

    def has(self, other: Reach) -> bool:
        """True if the other goes no further in anything."""
        return other.scopes <= self.scopes and self.lasts(other.expires_at) and self.spans(other.networks)

    def lasts(self, until: datetime | None) -> bool:
        """True if it does not end before."""
        return self.expires_at is None or (until is not None and until <= self.expires_at)

    def spans(self, networks: Sequence[Network] | None) -> bool:
        """True if each of these lies in one of its own."""
        return self.networks is None or (networks is not None and are_within(networks, self.networks))


def reach_of_row(row: Any) -> Reach:
    """That of a row of `api_keys`."""
    allowed = row.allowed_addresses
    networks = None if allowed is None else tuple(map(network_of_text, allowed))
    return Reach(frozenset(row.scopes), row.expires_at, networks)
