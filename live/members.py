"""Who is connected with which key, so that a key that was revoked loses its sockets within seconds."""

from collections.abc import Callable, Iterable

from sqlalchemy import Engine, text

from database.session import transaction
from services.identity.api_keys import hash_of_key

BY_KEY = text("SELECT id FROM brokers WHERE api_key_hash = :key_hash")
STILL_VALID = text("SELECT api_key_hash FROM brokers WHERE api_key_hash = ANY(:hashes)")


class Members:
    """The authenticated sockets of this process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._key_of: dict[str, bytes] = {}

    def enter(self, socket_id: str, key: str) -> int | None:
        """The broker that `key` belongs to, None if there is none; the socket is remembered with it."""
        key_hash = hash_of_key(key)
        with transaction(self.engine) as session:
            broker_id: int | None = session.scalar(BY_KEY, {"key_hash": key_hash})
        if broker_id is not None:
            self._key_of[socket_id] = key_hash
        return broker_id

    def leave(self, socket_id: str) -> None:
        """Forget a socket that is gone."""
        self._key_of.pop(socket_id, None)

    def revoke(self, disconnect: Callable[[str], None]) -> None:
        """Disconnect every socket whose key is no longer valid."""
        hashes = list(set(self._key_of.values()))
        if not hashes:
            return
        with transaction(self.engine) as session:
            valid = {bytes(one) for one in session.scalars(STILL_VALID, {"hashes": hashes})}
        for socket_id in self._revoked(valid):
            disconnect(socket_id)

    def _revoked(self, valid: set[bytes]) -> Iterable[str]:
        return [socket_id for socket_id, key_hash in self._key_of.items() if key_hash not in valid]
