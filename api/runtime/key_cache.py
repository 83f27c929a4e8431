"""Look keys up, and believe the answers for a moment: one query renews all of them, however many brokers call."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from api.http.problems import OutcomeUnknown
from api.runtime.database import Database
from background import Task, Tasks
from database.statements import Statements
from services.identity.admin_key import is_admin_key
from services.identity.api_keys import KeyHolder, hash_of_key, holder_of, holders_of
from services.identity.own_keys import note_uses
from services.identity.scopes import ALL
from serving.places import Places

LOOK_UPS = 2
"""Keys that are looked up at the same time: who guesses keys must not take all connections to the database."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a key belongs to: a broker, or the administrator, who has no `broker_id`."""

    broker_id: int | None
    name: str
    status: str
    scopes: frozenset[str] = ALL
    key: KeyHolder | None = None
    """The broker's key, which may have ended, or not be good from where it is used."""

    @classmethod
    def of(cls, holder: KeyHolder) -> "Caller":
        """Whoever holds this key."""
        return cls(holder.broker_id, holder.name, holder.status, holder.reach.scopes, holder)


ADMINISTRATOR = Caller(None, "administrator", "active")

USES_SECONDS = 20.0
"""How often it is written down which keys were used."""

SLOW_PART = 0.25
"""Of the time that an answer is believed: one that took longer to come says too little of now to be remembered."""


class Keys:
    """The keys of the exchange. Only known keys are remembered, by their hashes, so guessing fills nothing.

    What is remembered is renewed when it is half as old as it may get, by one thread while the others go on; a key that
    nobody has used since is forgotten. What was asked for before `forget` is not remembered after it.
    """

    def __init__(self, database: Database, admin_key: str, cache_ms: int, tasks: Tasks) -> None:
        """`admin_key`: the configured one, empty if its hash is stored; `cache_ms`: how long an answer is believed."""
        self._database = database
        self._admin_key = admin_key
        self._cache_seconds = cache_ms / 1000
        self._remembered: dict[bytes, Caller] = {}
        self._used: dict[bytes, Caller] = {}
        self._noted: set[int] = set()
        """Ids of keys that have been used, not all of which PostgreSQL has been told."""
        self._writing = tasks.add(
            Task(
                "key uses",
                self.write_uses,
                failure="PostgreSQL is away, it is not written down which keys were used",
                pause=USES_SECONDS,
                fresh_seconds=3 * USES_SECONDS,
                expected=(DBAPIError, PoolExhausted, OutcomeUnknown),
            )
        )
        self._forgotten = 0
        self._taken_at = float("-inf")
        self._renewing = threading.Lock()
        self._looking_up = Places(LOOK_UPS)

    def caller_of(self, key: str) -> Caller | None:
        """The broker or administrator who has this key, also where it has ended; None for an unknown one."""
        digest = hash_of_key(key)
        self._renew()
        caller = self._remembered.get(digest)
        if caller is None:
            caller = self.caller_now(key)
        if caller is not None:
            self._used[digest] = caller
        return caller

    def caller_now(self, key: str) -> Caller | None:
        """The same, asked of the database whatever is remembered; None for a key that is unknown by now."""
        began, forgotten = time.monotonic(), self._forgotten
        caller = self._look_up(key)
        is_fresh = time.monotonic() - began < self._cache_seconds * SLOW_PART and forgotten == self._forgotten
        if is_fresh and caller is not None and not _has_ended(caller):
            self._remembered[hash_of_key(key)] = caller
        return caller

    def forget(self) -> None:
        """Remember nothing, nor what is being looked up just now."""
        self._forgotten += 1
        self._note_used()
        self._remembered = {}

    def write_uses(self) -> None:
        """Tell PostgreSQL which keys have been used since the last time. Raises what the database raises."""
        self._note_used()
        noted, self._noted = self._noted, set()
        if not noted:
            return

        def write(session: Statements) -> None:
            note_uses(session, sorted(noted), datetime.now(UTC))

        try:
            self._database.run(write)
        except Exception:
            self._noted |= noted
            raise

    def _note_used(self) -> dict[bytes, Caller]:
        used, self._used = self._used, {}
        good = [caller.key for caller in used.values() if not _has_ended(caller)]
        self._noted |= {key.key_id for key in good if key is not None}
        return used

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
                forgotten = self._forgotten
                found = self._ask_again(set(self._note_used()))
                if forgotten == self._forgotten:
                    self._remembered, self._taken_at = found, now
                self._writing.start()
        finally:
            self._renewing.release()

    def _ask_again(self, used: set[bytes]) -> dict[bytes, Caller]:
        if not used or not self._cache_seconds:
            return {}
        with self._database.looking() as session:
            holders = holders_of(session, used)
        callers = {digest: Caller.of(holder) for digest, holder in holders.items()}
        return {digest: caller for digest, caller in callers.items() if not _has_ended(caller)}

    def _look_up(self, key: str) -> Caller | None:
        with self._looking_up.one(), self._database.looking() as session:
            holder = holder_of(session, key)
            if holder is not None:
                return Caller.of(holder)
            return ADMINISTRATOR if is_admin_key(session, key, self._admin_key) else None


def _has_ended(caller: Caller) -> bool:
    return caller.key is not None and caller.key.has_ended(datetime.now(UTC))
