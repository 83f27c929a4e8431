"""Who is connected with which key, so that a key that was revoked loses its sockets within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine

from database.autocommit import autocommitting
from live.refusals import BROKER_ONLY, SCOPE_MISSING, TOO_MANY_REQUESTS, UNAUTHENTICATED, refused
from queues.unknown_keys import UnknownKeys
from services.errors import NoLongerValid
from services.identity.admin_key import is_admin_key
from services.identity.api_keys import KeyHolder, hash_of_key, holder_of, holders_of
from services.identity.errors import AddressNotAllowed, KeyExpired, KeyRevoked
from services.identity.scopes import READ
from serving.open_connections import network_of
from serving.places import Places

LOOK_UPS = 4
"""Keys that are looked up at the same time: who guesses keys must not take all connections to the database."""

BELIEVED_SECONDS = 5.0
"""How long a key is believed that cannot be looked up again."""


@dataclass(frozen=True, slots=True)
class Member:
    """A socket's key, and when it was found to be valid; on a steady clock."""

    key_hash: bytes
    entered_at: float


class Members:
    """The authenticated sockets of this process."""

    def __init__(self, entering: Engine, staying: Engine, unknown_keys: UnknownKeys, admin_key: str) -> None:
        """`entering`: where the keys of those who come are looked up; `staying`: those of all who are there.

        `admin_key`: the configured one, empty if its hash is stored.
        """
        self._entering = entering
        self._staying = staying
        self._looking_up = Places(LOOK_UPS)
        self._unknown_keys = unknown_keys
        self._admin_key = admin_key
        self._members: dict[str, Member] = {}
        self._looked_up_at = time.monotonic()

    def enter(self, socket_id: str, key: str, address: str) -> int:
        """The id of the broker that `key` belongs to; the socket is remembered with it.

        `address` is the peer's: keys that are not good are counted by it, and after too many none is looked up. Raises
        the refusals `unauthenticated`, `key_revoked`, `key_expired`, `address_not_allowed`, `scope_missing`,
        `broker_only` and `too_many_requests`.
        """
        network = network_of(address)
        seconds = self._unknown_keys.seconds_to_wait(network)
        if seconds:
            raise refused(TOO_MANY_REQUESTS, retry_after=seconds)
        now = time.monotonic()
        with self._looking_up.one(), autocommitting(self._entering) as session:
            holder = holder_of(session, key)
            is_admin = holder is None and is_admin_key(session, key, self._admin_key)
        if holder is None:
            if is_admin:
                raise refused(BROKER_ONLY)
            self._unknown_keys.note(network)
            raise refused(UNAUTHENTICATED)
        self._refuse_limited(holder, address, network)
        if READ not in holder.reach.scopes:
            raise refused(SCOPE_MISSING, scope=READ)
        self._members[socket_id] = Member(hash_of_key(key), now)
        return holder.broker_id

    def _refuse_limited(self, holder: KeyHolder, address: str, network: str) -> None:
        try:
            holder.refuse_ended(datetime.now(UTC))
            holder.refuse_elsewhere(address)
        except NoLongerValid as ended:
            self._unknown_keys.note(network)
            raise refused(ended.code()) from ended
        except AddressNotAllowed as refusal:
            raise refused(refusal.code()) from refusal

    def leave(self, socket_id: str) -> None:
        """Forget a socket that is gone."""
        self._members.pop(socket_id, None)

    def revoke(self, disconnect: Callable[[str, str], None]) -> None:
        """Look all keys up again, and disconnect every socket whose key is no longer good, with the code of why.

        PostgreSQL is asked even where no socket has a key: so it is known whether it answers.
        """
        began = time.monotonic()
        hashes = {member.key_hash for member in self._members.values()}
        with autocommitting(self._staying) as session:
            holders = holders_of(session, hashes)
        self._looked_up_at = began
        now = datetime.now(UTC)
        ends = {key_hash: code for key_hash in hashes if (code := _end_of(holders.get(key_hash), now))}
        for code in sorted(set(ends.values())):
            gone = {key_hash for key_hash, why in ends.items() if why == code}
            self._disconnect(lambda member, gone=gone: member.key_hash in gone, partial(disconnect, code))  # type: ignore[misc]

    def fail_closed(self, disconnect: Callable[[str], None]) -> None:
        """Disconnect every socket whose key nobody has been able to look up for BELIEVED_SECONDS."""
        oldest = time.monotonic() - BELIEVED_SECONDS
        if self._looked_up_at < oldest:
            self._disconnect(lambda member: member.entered_at < oldest, disconnect)

    def _disconnect(self, whom: Callable[[Member], bool], disconnect: Callable[[str], None]) -> None:
        """Disconnect all of them, also where that fails for some."""
        errors = []
        for socket_id in [socket_id for socket_id, member in self._members.items() if whom(member)]:
            try:
                disconnect(socket_id)
            except Exception as error:  # noqa: BLE001 - raised below, once the others are gone
                errors.append(error)
        if errors:
            raise ExceptionGroup("sockets could not be closed as they should be", errors)


def _end_of(holder: KeyHolder | None, now: datetime) -> str | None:
    """The code of why a key is no longer good; None where it is."""
    if holder is None or holder.is_revoked:
        return KeyRevoked.code()
    return KeyExpired.code() if holder.has_ended(now) else None
