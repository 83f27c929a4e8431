"""Look keys up, and believe the answer for a moment."""

import time
from dataclasses import dataclass

from api.database import Database
from services.admin_key import is_admin_key
from services.read_caller import holder_of
from services.register import hash_of_key

MOST_REMEMBERED = 10_000
"""Keys remembered by one process; then all are looked up again."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a key belongs to: a broker, or the administrator, who has no `broker_id`."""

    broker_id: int | None
    name: str
    status: str


ADMINISTRATOR = Caller(None, "administrator", "active")


class Keys:
    """The keys of the exchange. Only known keys are remembered, by their hashes, so guessing fills nothing."""

    def __init__(self, database: Database, admin_key: str, cache_ms: int) -> None:
        """`admin_key`: the configured one, empty if its hash is stored; `cache_ms`: how long an answer is believed."""
        self._database = database
        self._admin_key = admin_key
        self._cache_seconds = cache_ms / 1000
        self._remembered: dict[bytes, tuple[float, Caller]] = {}

    def caller_of(self, key: str) -> Caller | None:
        """Who has this key; None for an unknown one."""
        now = time.monotonic()
        digest = hash_of_key(key)
        remembered = self._remembered.get(digest)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        caller = self._look_up(key)
        if caller is None:
            self._remembered.pop(digest, None)
        elif self._cache_seconds:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[digest] = (now + self._cache_seconds, caller)
        return caller

    def _look_up(self, key: str) -> Caller | None:
        with self._database.reading() as session:
            holder = holder_of(session, key)
            if holder is not None:
                return Caller(holder.broker_id, holder.name, holder.status)
            return ADMINISTRATOR if is_admin_key(session, key, self._admin_key) else None
