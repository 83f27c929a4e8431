"""Who is connected with which key, so that a key that was revoked loses its sockets within seconds."""

from collections.abc import Callable

from sqlalchemy import Engine

from database.session import transaction
from live.refusals import BROKER_ONLY, TOO_MANY_REQUESTS, UNAUTHENTICATED, refused
from queues.unknown_keys import UnknownKeys
from services.identity.admin_key import is_admin_key
from services.identity.api_keys import hash_of_key, holder_of, holders_of


class Members:
    """The authenticated sockets of this process."""

    def __init__(self, engine: Engine, unknown_keys: UnknownKeys, admin_key: str) -> None:
        """`admin_key`: the configured one, empty if its hash is stored."""
        self.engine = engine
        self._unknown_keys = unknown_keys
        self._admin_key = admin_key
        self._key_of: dict[str, bytes] = {}

    def enter(self, socket_id: str, key: str, address: str) -> int:
        """The id of the broker that `key` belongs to; the socket is remembered with it.

        `address` is the peer's: unknown keys are counted by it, and after too many none is looked up. Raises the
        refusals `unauthenticated`, `broker_only` and `too_many_requests`.
        """
        seconds = self._unknown_keys.seconds_to_wait(address)
        if seconds:
            raise refused(TOO_MANY_REQUESTS, retry_after=seconds)
        with transaction(self.engine) as session:
            holder = holder_of(session, key)
            is_admin = holder is None and is_admin_key(session, key, self._admin_key)
        if holder is None:
            if is_admin:
                raise refused(BROKER_ONLY)
            self._unknown_keys.note(address)
            raise refused(UNAUTHENTICATED)
        self._key_of[socket_id] = hash_of_key(key)
        return holder.broker_id

    def leave(self, socket_id: str) -> None:
        """Forget a socket that is gone."""
        self._key_of.pop(socket_id, None)

    def revoke(self, disconnect: Callable[[str], None]) -> None:
        """Disconnect every socket whose key is no longer valid."""
        hashes = set(self._key_of.values())
        if not hashes:
            return
        with transaction(self.engine) as session:
            revoked = hashes - holders_of(session, hashes).keys()
        for socket_id in self._sockets_with(revoked):
            disconnect(socket_id)

    def _sockets_with(self, hashes: set[bytes]) -> list[str]:
        return [socket_id for socket_id, key_hash in self._key_of.items() if key_hash in hashes]
