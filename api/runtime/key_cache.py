"""Look keys up, and believe the answers for a moment."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from api.http.problems import OutcomeUnknown
from api.runtime.callers import ADMINISTRATOR, Caller, goes_on
from api.runtime.database import Database
from api.runtime.remembered import Remembered
from background import Task, Tasks
from database.statements import Statements
from services.identity.admin_key import is_admin_key
from services.identity.api_keys import hash_of_key, holder_of, holders_of
from services.identity.own_keys import note_uses
from serving.places import Places
from settings.sections import Settings

LOOK_UPS = 2
"""Keys that are looked up at the same time: who guesses keys must not take all connections to the database."""

USES_SECONDS = 20.0
"""How often it is written down which keys were used."""


class Keys:
    """The keys of the exchange, remembered by their hashes."""

    def __init__(self, database: Database, settings: Settings, tasks: Tasks) -> None:
        """Without an `admin_key` in the settings the stored hash of one counts."""
        self._database = database
        self._admin_key, self._fees = settings.exchange.admin_key, settings.fees
        cache_ms = settings.web.key_cache_ms
        self.remembered: Remembered[bytes, Caller] = Remembered(self._ask, goes_on, cache_ms, self._note_used)
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
        self._looking_up = Places(LOOK_UPS)

    def caller_of(self, key: str) -> Caller | None:
        """The broker or administrator who has this key, also where it has ended; None for an unknown one."""
        return self.remembered.get(hash_of_key(key)) or self.caller_now(key)

    def caller_now(self, key: str) -> Caller | None:
        """The same, asked of the database whatever is remembered; None for a key that is unknown by now."""
        return self.remembered.learn(hash_of_key(key), partial(self._look_up, key))

    def forget(self) -> None:
        """Remember nothing, nor what is being looked up just now."""
        self.remembered.forget()

    def write_uses(self) -> None:
        """Tell PostgreSQL which keys have been used since the last time. Raises what the database raises."""
        self.remembered.take_used()
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

    def _note_used(self, callers: list[Caller]) -> None:
        self._noted |= {caller.key.key_id for caller in callers if caller.key is not None}
        self._writing.start()

    def _ask(self, hashes: set[bytes]) -> Mapping[bytes, Caller]:
        with self._database.looking() as session:
            return {digest: Caller.of_key(holder, self._fees) for digest, holder in holders_of(session, hashes).items()}

    def _look_up(self, key: str) -> Caller | None:
        with self._looking_up.one(), self._database.looking() as session:
            holder = holder_of(session, key)
            if holder is not None:
                return Caller.of_key(holder, self._fees)
            return ADMINISTRATOR if is_admin_key(session, key, self._admin_key) else None
