"""How a worker is seen from outside: among RQ's workers, and that of a group by its heartbeat in Redis.

`rq info` lists it with its queues, `rq suspend` and RQ's shutdown command reach it. All of this is for people: what
goes wrong with it is logged, and never keeps the worker from its work.
"""

import logging
import os
import secrets
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from redis import Redis, RedisError, ResponseError
from rq import SimpleWorker, worker_registration
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from queues.heartbeats import Heartbeats
from queues.jobs import ExchangeJob, ExchangeQueue, queue_of

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0


class WorkerPresence(SimpleWorker):
    """A worker as RQ knows it. Made without asking Redis anything, for Redis may be away."""

    job_class = ExchangeJob
    queue_class = ExchangeQueue

    def __init__(self, role: str, redis: Redis, queues: Sequence[ExchangeQueue]) -> None:
        """`role` is how its name begins."""
        self._beaten_at = float("-inf")
        name = f"{role}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        super().__init__(queues, name=name, connection=redis, serializer=JSONSerializer, prepare_for_work=False)
        self.hostname, self.pid = socket.gethostname(), os.getpid()
        self.birth_date = self.last_heartbeat = datetime.now(UTC)

    def show_queues(self, queues: Sequence[ExchangeQueue] | None = None, *, suspended: bool) -> None:
        """Be seen, from now on with these queues, if they are others. Raises RedisError when Redis is away."""
        state = WorkerStatus.SUSPENDED if suspended else WorkerStatus.STARTED
        changed = queues is not None or state != self._state
        if queues is not None:
            self.queues = list(queues)
        self._state = state
        is_due = time.monotonic() - self._beaten_at >= BEAT_SECONDS
        try:
            if changed or is_due or not self._is_registered():
                self._beat()
                self._register()
                self._beaten_at = time.monotonic()
        except ResponseError as error:
            self._beaten_at = time.monotonic()
            log.warning("RQ cannot list this worker: %s", error)

    def leave(self) -> None:
        """Be gone, for who looks; if Redis is away it will notice by itself."""
        try:
            self.teardown()  # type: ignore[no-untyped-call]
            self._gone()
        except RedisError as error:
            log.warning("Redis is away, this worker's entry there will run out: %s", error)

    def handle_payload(self, message: Any) -> None:
        """Do what RQ's command says; what is none is logged."""
        try:
            super().handle_payload(message)  # type: ignore[no-untyped-call]
        except Exception:
            log.exception("an RQ command cannot be carried out")

    def _beat(self) -> None:
        """Whatever else shows that the worker is there."""

    def _gone(self) -> None:
        """Whatever else shows that it is not."""

    def _set_connection(self, connection: Redis) -> Redis:
        """As it is: RQ would let each command wait for seven minutes."""
        return connection

    def _is_registered(self) -> bool:
        """True while RQ knows the worker: a Redis that was flushed knows nobody."""
        return bool(self.connection.sismember(worker_registration.REDIS_WORKER_KEYS, self.key))

    def _register(self) -> None:
        pipeline = self.connection.pipeline(transaction=False)
        pipeline.hset(self.key, mapping={**self.serialize(), "state": self._state})
        worker_registration.register(self, pipeline)
        self.heartbeat(pipeline=pipeline)
        pipeline.execute()
        if self.pubsub_thread is None or not self.pubsub_thread.is_alive():
            self.subscribe()  # type: ignore[no-untyped-call]


class Presence(WorkerPresence):
    """One group's worker."""

    def __init__(self, group: str, redis: Redis) -> None:
        self.group = group
        self._heartbeats = Heartbeats(redis)
        self._symbols: tuple[str, ...] = ()
        self._no_queue = queue_of(redis, f"none-in-{group}")
        super().__init__(f"match-{group}", redis, [self._no_queue])

    def show(self, symbols: Sequence[str], *, suspended: bool) -> None:
        """Be seen with the queues of these stocks. Raises RedisError when Redis is away."""
        queues = None
        if tuple(symbols) != self._symbols:
            self._symbols = tuple(symbols)
            queues = [queue_of(self.connection, symbol) for symbol in symbols] or [self._no_queue]
        self.show_queues(queues, suspended=suspended)

    def _beat(self) -> None:
        self._heartbeats.beat(self.group, self.name)

    def _gone(self) -> None:
        self._heartbeats.leave(self.group, self.name)
