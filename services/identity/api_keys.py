"""API keys: how one is made and stored, whose it is, and whether it is good. The only door to a key, for REST and
sockets alike."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.accounts.fee_terms import FeeTerms, terms_of_row
from services.identity.errors import AddressNotAllowed, KeyExpired, KeyRevoked
from services.identity.reach import Reach, reach_of_row
from settings.admin_key import LONGEST_KEY

KEY_BYTES: Final = 32
"""Entropy of an API key: 256 bits, so an unsalted SHA-256 is a safe way to store it."""

BEGINNING: Final = "mx_"
SHOWN: Final = len(BEGINNING) + 8
"""Characters of a key that are kept as they are, by which people know it again; 200 bits of it stay unknown."""

HOLDERS = text("""
    SELECT k.key_hash, k.id, k.scopes, k.allowed_addresses, k.expires_at, k.revoked_at, b.id AS broker_id, b.name,
        b.status, b.is_guest, b.maker_bps, b.taker_bps, b.turnover_30d, b.fee_version
    FROM api_keys k JOIN brokers b ON b.id = k.broker_id WHERE k.key_hash = ANY(:hashes)
""")

ROW = text("SELECT scopes, allowed_addresses, expires_at, revoked_at FROM api_keys WHERE id = :key_id FOR SHARE")


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A key, and the broker that it belongs to; the broker's `status` is active, close_only or suspended."""

    key_id: int
    broker_id: int
    name: str
    status: str
    reach: Reach
    is_revoked: bool
    is_guest: bool
    """Whether the broker has signed up."""
    terms: FeeTerms
    """What its fees follow from."""
    is_limited: bool = field(init=False)
    """Whether it is not good always and everywhere."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_limited", self.is_revoked or self.reach.is_limited)

    def has_ended(self, now: datetime) -> bool:
        """True if it was revoked, or its time is over."""
        return self.is_revoked or self.reach.has_ended(now)

    def refuse_ended(self, now: datetime) -> None:
        """Raises KeyRevoked, KeyExpired."""
        if self.is_revoked:
            raise KeyRevoked
        if self.reach.has_ended(now):
            raise KeyExpired

    def reach_now(self, session: Statements, now: datetime) -> Reach:
        """How far it reaches by its row, which stays so until the commit. Raises KeyRevoked, KeyExpired."""
        row = session.execute(ROW, {"key_id": self.key_id}).one()
        reach = reach_of_row(row)
        if row.revoked_at is not None:
            raise KeyRevoked
        if reach.has_ended(now):
            raise KeyExpired
        return reach

    def refuse_elsewhere(self, address: str) -> None:
        """Raises AddressNotAllowed unless it may be used from this address."""
        if not self.reach.is_good_from(address):
            raise AddressNotAllowed


def new_key() -> str:
    """A key that nobody can guess."""
    return f"{BEGINNING}{secrets.token_urlsafe(KEY_BYTES)}"


def is_possible(key: str) -> bool:
    """True if `key` has the form of a key: any other needs no look-up, and may not even have a hash."""
    return 0 < len(key) <= LONGEST_KEY and key.isascii()


def hash_of_key(key: str) -> bytes:
    """The SHA-256 of a key: all that is stored of it."""
    return hashlib.sha256(key.encode()).digest()


def holder_of(session: Statements, key: str) -> KeyHolder | None:
    """Whose API key it is, found by its hash, also if it has ended; None for an unknown key."""
    digest = hash_of_key(key)
    return holders_of(session, [digest]).get(digest)


def holders_of(session: Statements, hashes: Collection[bytes]) -> dict[bytes, KeyHolder]:
    """The keys that have these hashes, by hash, also those that have ended; unknown ones are left out."""
    return {bytes(row.key_hash): _holder(row) for row in session.execute(HOLDERS, {"hashes": list(hashes)})}


def _holder(row: Any) -> KeyHolder:
    return KeyHolder(
        key_id=row.id,
        broker_id=row.broker_id,
        name=row.name,
        status=row.status,
        reach=reach_of_row(row),
        is_revoked=row.revoked_at is not None,
        is_guest=row.is_guest,
        terms=terms_of_row(row),
    )
