"""The keys of a broker, as it makes, lists, rotates and revokes them itself: by a person, or by a key."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import text

from database.statements import Statements
from services.errors import UnknownBroker
from services.identity.api_keys import SHOWN, hash_of_key, new_key
from services.identity.errors import KeyEnded, KeyTooWide, NotYourKey, TooManyKeys, UnknownApiKey
from services.identity.reach import Reach, reach_of_row
from services.identity.scopes import SCOPES
from services.timestamps import timestamp

MOST_KEYS: Final = 100
"""Of one broker that have not ended."""

FIRST: Final = "first key"
"""What the key is called that comes with a broker's registration."""

COLUMNS = """id, broker_id, prefix, name, scopes, allowed_addresses, expires_at, revoked_at, last_used_at, created_at"""

INSERT = text(f"""
    INSERT INTO api_keys (broker_id, prefix, key_hash, name, scopes, allowed_addresses, expires_at)
    VALUES (:broker_id, :prefix, :key_hash, :name, CAST(:scopes AS text[]), CAST(:allowed_addresses AS text[]),
        :expires_at)
    RETURNING {COLUMNS}
""")  # noqa: S608 - a constant of this file

ALONE = text("SELECT id FROM brokers WHERE id = :broker_id FOR NO KEY UPDATE")
"""A broker's keys are made one after the other, so that they can be counted."""

COUNT = text("""
    SELECT count(*) FROM api_keys
    WHERE broker_id = :broker_id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
""")

OWNER = text("SELECT broker_id FROM api_keys WHERE id = :key_id")
ONE = text(f"SELECT {COLUMNS} FROM api_keys WHERE id = :key_id FOR NO KEY UPDATE")  # noqa: S608
PAGE = text(f"""
    SELECT {COLUMNS} FROM api_keys WHERE broker_id = :broker_id AND id < :before ORDER BY id DESC LIMIT :limit
""")  # noqa: S608

REVOKE = text("UPDATE api_keys SET revoked_at = :now WHERE id = :key_id AND revoked_at IS NULL")
REVOKE_ALL = text("UPDATE api_keys SET revoked_at = :now WHERE broker_id = :broker_id AND revoked_at IS NULL")
END_SOON = text("UPDATE api_keys SET expires_at = least(expires_at, :until) WHERE id = :key_id")

NOTE_USES = text("""
    UPDATE api_keys SET last_used_at = greatest(last_used_at, :now)
    WHERE id IN (SELECT id FROM api_keys WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE)
""")


class Maker(Protocol):
    """Who makes keys: whoever has a session or a key of this broker."""

    @property
    def broker_id(self) -> int | None:
        """Of a person who makes keys it is not None."""

    def reach_now(self, session: Statements, now: datetime) -> Reach:
        """How far it reaches by its row, which stays so until the commit. Raises why it has ended."""


def make_key(session: Statements, maker: Maker, name: str, reach: Reach, now: datetime) -> dict[str, Any]:
    """A new key of the maker's broker, with `api_key`, which is told this once.

    Raises KeyTooWide where it would reach further than its maker, TooManyKeys, and why the maker has ended: what is
    believed of it may be a moment old, and a key or session that has ended must leave no key behind.
    """
    broker_id = _alone(session, maker)
    _refuse_wider(maker.reach_now(session, now), reach)
    _refuse_more(session, broker_id, now)
    return _made(session, broker_id, name, reach)


def rotate_key(session: Statements, maker: Maker, key_id: int, overlap: timedelta, now: datetime) -> dict[str, Any]:
    """A new key that is like this one, which ends after `overlap`; with `api_key`, which is told this once.

    Raises UnknownApiKey, NotYourKey, KeyEnded, and what `make_key` raises.
    """
    broker_id = _alone(session, maker)
    own = maker.reach_now(session, now)
    row = _own(session, broker_id, key_id)
    reach = reach_of_row(row)
    if row.revoked_at is not None or reach.has_ended(now):
        raise KeyEnded
    _refuse_wider(own, reach)
    if overlap:
        _refuse_more(session, broker_id, now)
        session.execute(END_SOON, {"key_id": key_id, "until": now + overlap})
    else:
        session.execute(REVOKE, {"key_id": key_id, "now": now})
    return _made(session, broker_id, row.name, reach)


def revoke_key(session: Statements, broker_id: int, key_id: int, now: datetime) -> bool:
    """End one of the broker's keys; False if it was revoked before. Raises UnknownApiKey, NotYourKey."""
    row = _own(session, broker_id, key_id)
    session.execute(REVOKE, {"key_id": key_id, "now": now})
    return row.revoked_at is None


def refuse_foreign_key(session: Statements, broker_id: int, key_id: int) -> None:
    """Raises UnknownApiKey, and NotYourKey unless it is one of the broker's."""
    owner = session.scalar(OWNER, {"key_id": key_id})
    if owner is None:
        raise UnknownApiKey(f"There is no key {key_id}.")
    if owner != broker_id:
        raise NotYourKey


def replace_all_keys(session: Statements, broker_id: int, now: datetime) -> dict[str, Any]:
    """End all keys of the broker, and make one that may do everything; with `api_key`, which is told this once.

    Raises UnknownBroker.
    """
    if session.scalar(ALONE, {"broker_id": broker_id}) is None:
        raise UnknownBroker(f"There is no broker {broker_id}.")
    session.execute(REVOKE_ALL, {"broker_id": broker_id, "now": now})
    return first_key(session, broker_id)


def first_key(session: Statements, broker_id: int, key: str | None = None) -> dict[str, Any]:
    """A key that may do everything, for a broker that has none: `key`, or a new `api_key`, which is told this once."""
    return _made(session, broker_id, FIRST, Reach(frozenset(SCOPES)), key)


def read_keys(session: Statements, broker_id: int, before: int, limit: int) -> Iterator[dict[str, Any]]:
    """The broker's keys with lower ids, newest first, also those that have ended."""
    rows = session.execute(PAGE, {"broker_id": broker_id, "before": before, "limit": limit})
    return (key_document(row) for row in rows)


def note_uses(session: Statements, key_ids: Sequence[int], now: datetime) -> None:
    """These keys have been used, lately."""
    session.execute(NOTE_USES, {"ids": list(key_ids), "now": now})


def without_secret(made: Mapping[str, Any]) -> dict[str, Any]:
    """A key that was just made, as it is listed."""
    return {name: value for name, value in made.items() if name != "api_key"}


def key_document(row: Any) -> dict[str, Any]:
    """A key as the API shows it: nothing with which it could be used."""
    return {
        "key_id": row.id,
        "prefix": row.prefix,
        "name": row.name,
        "scopes": [scope for scope in SCOPES if scope in row.scopes],
        "expires_at": timestamp(row.expires_at),
        "allowed_addresses": row.allowed_addresses,
        "created_at": timestamp(row.created_at),
        "last_used_at": timestamp(row.last_used_at),
        "revoked_at": timestamp(row.revoked_at),
    }


def _alone(session: Statements, maker: Maker) -> int:
    """The maker's broker, whose keys are made here alone until the commit. Raises TypeError if it has none."""
    if maker.broker_id is None:
        raise TypeError("keys are a broker's")
    session.execute(ALONE, {"broker_id": maker.broker_id})
    return maker.broker_id


def _refuse_wider(own: Reach, reach: Reach) -> None:
    if not own.has(reach):
        raise KeyTooWide


def _refuse_more(session: Statements, broker_id: int, now: datetime) -> None:
    if session.scalar(COUNT, {"broker_id": broker_id, "now": now}) >= MOST_KEYS:
        raise TooManyKeys(f"A broker has {MOST_KEYS} keys at most; revoke one that is no longer used.", limit=MOST_KEYS)


def _own(session: Statements, broker_id: int, key_id: int) -> Any:
    refuse_foreign_key(session, broker_id, key_id)
    return session.execute(ONE, {"key_id": key_id}).one()


def _made(session: Statements, broker_id: int, name: str, reach: Reach, key: str | None = None) -> dict[str, Any]:
    key = key or new_key()
    row = session.execute(
        INSERT,
        {
            "broker_id": broker_id,
            "prefix": key[:SHOWN],
            "key_hash": hash_of_key(key),
            "name": name,
            "scopes": [scope for scope in SCOPES if scope in reach.scopes],
            "allowed_addresses": None if reach.networks is None else list(map(str, reach.networks)),
            "expires_at": reach.expires_at,
        },
    ).one()
    return {**key_document(row), "api_key": key}
