"""API keys: how one is made and stored, and whose it is. The only door to a key, for REST and sockets alike."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text

from database.statements import Statements
from settings.admin_key import LONGEST_KEY

KEY_BYTES = 32
"""Entropy of an API key: 256 bits, so an unsalted SHA-256 is a safe way to store it."""


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The broker that a key belongs to; `status` is active, close_only or suspended."""

    broker_id: int
    name: str
    status: str


HOLDERS = text("SELECT api_key_hash, id, name, status FROM brokers WHERE api_key_hash = ANY(:hashes)")


def is_possible(key: str) -> bool:
    """True if `key` has the form of a key: any other needs no look-up, and may not even have a hash."""
    return 0 < len(key) <= LONGEST_KEY and key.isascii()


def hash_of_key(key: str) -> bytes:
    """The SHA-256 of a key: all that is stored of it."""
    return hashlib.sha256(key.encode()).digest()


def holder_of(session: Statements, key: str) -> KeyHolder | None:
    """The broker with this API key, found by the key's hash; None for an unknown key."""
    digest = hash_of_key(key)
    return holders_of(session, [digest]).get(digest)


def holders_of(session: Statements, hashes: Collection[bytes]) -> dict[bytes, KeyHolder]:
    """The brokers whose keys have these hashes, by hash; unknown ones are left out."""
    rows = session.execute(HOLDERS, {"hashes": list(hashes)})
    return {bytes(row.api_key_hash): KeyHolder(row.id, row.name, row.status) for row in rows}
