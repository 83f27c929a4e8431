"""Who is connected with which key, so that a key that was revoked loses its sockets within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from database.autocommit import autocommitting
from live.refusals import BROKER_ONLY, TOO_MANY_REQUESTS, UNAUTHENTICATED, refused
from queues.unknown_keys import UnknownKeys
from services.identity.admin_key import is_admin_key
from services.identity.api_keys import hash_of_key, holder_of, holders_of
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

        `address` is the peer's: unknown keys are counted by it, and after too many none is looked up. Raises the
        refusals `unauthenticated`, `broker_only` and `too_many_requests`.
        """
        address = network_of(address)
        seconds = self._unknown_keys.seconds_to_wait(address)
        if seconds:
            raise refused(TOO_MANY_REQUESTS, retry_after=seconds)
        now = time.monotonic()
        with self._looking_up.one(), autocommitting(self._entering) as session:
            holder = holder_of(session, key)
            is_admin = holder is None and is_admin_key(session, key, self._admin_key)
        if holder is None:
            if is_admin:
                raise refused(BROKER_ONLY)
            self._unknown_keys.note(address)
            raise refused(UNAUTHENTICATED)
        self._members[socket_id] = Member(hash_of_key(key), now)
        return holder.broker_id

    def leave(self, socket_id: str) -> None:
        """Forget a socket that is gone."""
        self._members.pop(socket_id, None)

    def revoke(self, disconnect: Callable[[str], None]) -> None:
        """Look all keys up again, and disconnect every socket whose key is no longer valid.

        PostgreSQL is asked even where no socket has a key: so it is known whether it answers.
        """
        began = time.monotonic()
        hashes = {member.key_hash for member in self._members.values()}
        with autocommitting(self._staying) as session:
            revoked = hashes - holders_of(session, hashes).keys()
        self._looked_up_at = began
        self._disconnect(lambda member: member.key_hash in revoked, disconnect)

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
