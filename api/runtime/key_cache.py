"""Look keys up, and believe the answers for a moment: one query renews all of them, however many brokers call."""

import threading
import time
from dataclasses import dataclass

from api.runtime.database import Database
from services.identity.admin_key import is_admin_key
from services.identity.api_keys import hash_of_key, holder_of, holders_of
from serving.places import Places

LOOK_UPS = 2
"""Keys that are looked up at the same time: who guesses keys must not take all connections to the database."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a key belongs to: a broker, or the administrator, who has no `broker_id`."""

    broker_id: int | None
    name: str
    status: str


ADMINISTRATOR = Caller(None, "administrator", "active")


class Keys:
    """The keys of the exchange. Only known keys are remembered, by their hashes, so guessing fills nothing.

    What is remembered is renewed when it is half as old as it may get, by one thread while the others go on; a key that
    nobody has used since is forgotten.
    """

    def __init__(self, database: Database, admin_key: str, cache_ms: int) -> None:
        """`admin_key`: the configured one, empty if its hash is stored; `cache_ms`: how long an answer is believed."""
        self._database = database
        self._admin_key = admin_key
        self._cache_seconds = cache_ms / 1000
        self._remembered: dict[bytes, Caller] = {}
        self._used: set[bytes] = set()
        self._taken_at = float("-inf")
        self._renewing = threading.Lock()
        self._looking_up = Places(LOOK_UPS)

    def caller_of(self, key: str) -> Caller | None:
        """The broker or administrator who has this key; None for an unknown one."""
        digest = hash_of_key(key)
        self._renew()
        caller = self._remembered.get(digest)
        if caller is None:
            caller = self.caller_now(key)
        if caller is not None:
            self._used.add(digest)
        return caller

    def caller_now(self, key: str) -> Caller | None:
        """The same, asked of the database whatever is remembered; None for a key that is unknown by now."""
        caller = self._look_up(key)
        if caller is not None and self._cache_seconds:
            self._remembered[hash_of_key(key)] = caller
        return caller

    def forget(self) -> None:
        """Remember nothing."""
        self._remembered, self._used = {}, set()

    def _renew(self) -> None:
        """Ask for all remembered keys again if that is due; whoever finds them too old waits until it is done."""
        age = time.monotonic() - self._taken_at
        if age < self._cache_seconds / 2:
            return
        if not self._renewing.acquire(blocking=age >= self._cache_seconds):
            return
        try:
            now = time.monotonic()
            if now - self._taken_at >= self._cache_seconds / 2:
                used, self._used = self._used, set()
                self._remembered = self._ask_again(used)
                self._taken_at = now
        finally:
            self._renewing.release()

    def _ask_again(self, used: set[bytes]) -> dict[bytes, Caller]:
        if not used or not self._cache_seconds:
            return {}
        with self._database.looking() as session:
            holders = holders_of(session, used)
        return {digest: Caller(holder.broker_id, holder.name, holder.status) for digest, holder in holders.items()}

    def _look_up(self, key: str) -> Caller | None:
        with self._looking_up.one(), self._database.looking() as session:
            holder = holder_of(session, key)
            if holder is not None:
                return Caller(holder.broker_id, holder.name, holder.status)
            return ADMINISTRATOR if is_admin_key(session, key, self._admin_key) else None
