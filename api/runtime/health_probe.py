"""What the exchange lacks just now: found out at most twice a second, whoever asks."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.runtime.database import Database
from background import Tasks
from queues.heartbeats import Heartbeats
from queues.wakeups import Wakeups
from services.operations.health import stuck_stocks
from services.operations.lease import CLOCK_LEASE, REPORTER_LEASE, is_held, is_missed

log = logging.getLogger(__name__)

BELIEVED_SECONDS = 0.5
"""Anyone may ask; PostgreSQL and Redis are asked at most this often by each process."""

STUCK_SECONDS = 5
"""A command that waits this long says that its stock is not matched, for whatever reason."""

MOST_WAITING = 20
"""Stocks that are named. When nothing at all is matched, the first few tell as much as all."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is wrong, if anything is."""

    missing: Sequence[str] = ()
    """`postgresql`, `redis`, `clock`, `reporter` where there has been one, `match-GROUP` for each group without a
    worker; where the servers answer also what this process does beside its requests and has not been able to do."""
    waiting: Sequence[dict[str, Any]] = ()
    """Stocks whose oldest command waits too long: {symbol, group, seconds}, the longest first."""
    suspended: bool = False
    """Whether `rq suspend` keeps all workers from matching."""

    @property
    def status(self) -> str:
        """`down` when nothing can be stored, `degraded` when anything is wrong, else `up`."""
        if "postgresql" in self.missing:
            return "down"
        return "degraded" if self.missing or self.waiting or self.suspended else "up"


class HealthProbe:
    """The pulse of the whole exchange, as one process feels it."""

    def __init__(
        self, database: Database, heartbeats: Heartbeats, wakeups: Wakeups, groups: Sequence[str], tasks: Tasks
    ) -> None:
        self._database = database
        self._heartbeats = heartbeats
        self._wakeups = wakeups
        self._groups = groups
        self._tasks = tasks
        self._lock = threading.Lock()
        self._until = 0.0
        self._health = Health()

    def health(self) -> Health:
        """The health of the exchange: its status, and what is missing."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._health = self._look()
                self._until = time.monotonic() + BELIEVED_SECONDS
            return self._health

    def forget(self) -> None:
        """A request has just met trouble: look again when asked next."""
        self._until = 0.0

    def _look(self) -> Health:
        missing: list[str] = []
        waiting: list[dict[str, Any]] = []
        suspended = False
        try:
            with self._database.looking() as session:
                waiting = stuck_stocks(session, STUCK_SECONDS, MOST_WAITING)
                if not is_held(session, CLOCK_LEASE):
                    missing.append("clock")
                if is_missed(session, REPORTER_LEASE):
                    missing.append("reporter")
        except SQLAlchemyError as error:
            log.warning("PostgreSQL is away: %s", " ".join(str(error).split())[:300])
            missing.append("postgresql")
        try:
            alive = self._heartbeats.alive(self._groups)
            suspended = self._wakeups.suspended()
            missing += [f"match-{group}" for group in self._groups if group not in alive]
        except RedisError as error:
            log.warning("Redis is away: %s", error)
            missing.append("redis")
        missing += [] if missing else self._tasks.stale()
        return Health(missing, waiting, suspended)
