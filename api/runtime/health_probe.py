"""What the exchange lacks just now: found out at most twice a second, whoever asks."""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.runtime.database import Database
from services.operations.health import inbox_is_stuck

log = logging.getLogger(__name__)

BELIEVED_SECONDS = 0.5
"""Anyone may ask; PostgreSQL and Redis are asked at most this often by each process."""

STUCK_SECONDS = 5
"""A command that waits this long says that its group is not matched."""

SILENT = timedelta(seconds=20)
"""A worker that has been silent this long is gone; its heart beats every five seconds."""

WORKERS = "rq:workers"
WORKER_PREFIX = "rq:worker:"


class HealthProbe:
    """The pulse of the whole exchange, as one process feels it."""

    def __init__(self, database: Database, redis: Redis, groups: Sequence[str]) -> None:
        self._database = database
        self._redis = redis
        self._groups = groups
        self._lock = threading.Lock()
        self._until = 0.0
        self._missing: list[str] = []

    def missing(self) -> list[str]:
        """Those of postgresql, redis and match that are missing; empty when all is well."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._missing = self._look()
                self._until = time.monotonic() + BELIEVED_SECONDS
            return self._missing

    def forget(self) -> None:
        """A request has just met trouble: look again when asked next."""
        self._until = 0.0

    def _look(self) -> list[str]:
        missing = []
        matched = True
        try:
            with self._database.reading() as session:
                matched = not inbox_is_stuck(session, STUCK_SECONDS)
        except SQLAlchemyError as error:
            log.warning("PostgreSQL is away: %s", " ".join(str(error).split())[:300])
            missing.append("postgresql")
        try:
            matched = self._workers_alive() and matched
        except RedisError as error:
            log.warning("Redis is away: %s", error)
            missing.append("redis")
        return missing if matched else [*missing, "match"]

    def _workers_alive(self) -> bool:
        """Whether every group has a worker, by RQ's own register: two round trips. Raises RedisError."""
        members: Any = self._redis.smembers(WORKERS)
        keys = [member.decode() for member in members]
        groups = {key: _group_of(key, self._groups) for key in keys}
        ours = [key for key, group in groups.items() if group is not None]
        pipeline = self._redis.pipeline(transaction=False)
        for key in ours:
            pipeline.hget(key, "last_heartbeat")
        beats = pipeline.execute() if ours else []
        alive = {groups[key] for key, beat in zip(ours, beats, strict=True) if beat and _is_recent(beat.decode())}
        return alive.issuperset(self._groups)


def _group_of(key: str, groups: Sequence[str]) -> str | None:
    """Group workers are called match-GROUP-HOST-PID-…; others, such as `rq worker`, name no group."""
    name = key.removeprefix(WORKER_PREFIX)
    return next((group for group in groups if name.startswith(f"match-{group}-")), None)


def _is_recent(beat: str) -> bool:
    moment = datetime.fromisoformat(beat)
    return datetime.now(UTC) - moment.replace(tzinfo=moment.tzinfo or UTC) < SILENT
