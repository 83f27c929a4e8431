"""One process's memory that Redis does not answer: who comes meanwhile is told at once instead of waiting, too.

A Redis that is dead refuses connections in no time; one that hangs costs each command a whole timeout. So the first
that waits in vain trips the breaker, everything else then fails immediately, and a thread of its own asks Redis until
it answers again. All clients of one process share it.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from redis import ConnectionError as NotConnected
from redis import Redis, RedisError, ResponseError
from redis import TimeoutError as TookTooLong
from redis.backoff import NoBackoff
from redis.retry import Retry

from background import Task
from queues import names

log = logging.getLogger(__name__)

PROBE_SECONDS = 0.2
"""Pause between two questions while Redis is away."""

PROBE_TTL = 60

TRIPPING = (NotConnected, TookTooLong, TimeoutError)

Done = TypeVar("Done")


class Breaker(Retry):
    """What redis-py asks around every use of a connection: connecting, commands, pipelines and subscriptions alike.

    A connection that is found closed is made anew once; a timeout is never waited for twice.
    """

    def __init__(self, url: str, seconds: float) -> None:
        """`seconds`: how long Redis may take to answer the question whether it is back."""
        super().__init__(NoBackoff(), 1)
        self.is_open = False
        self._url = url
        self._seconds = seconds
        self._tripping = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Breaker":
        """The same: redis-py copies it into every connection, and all are to share it."""
        return self

    def call_with_retry(
        self,
        do: Callable[[], Done],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Done:
        """Do `do` and give its result. Raises ConnectionError at once while Redis is away, and what `do` raises."""
        if self.is_open:
            raise NotConnected("Redis has not answered, and is not waited for until it does")
        failures = 0
        while True:
            try:
                return do()
            except TRIPPING as error:
                if is_retryable is not None and not is_retryable(error):
                    raise
                failures += 1
                is_final = failures > 1 or self.is_open or not isinstance(error, NotConnected)
                if is_final:
                    self._trip(error)
                if with_failure_count:
                    fail(error, failures)
                else:
                    fail(error)
                if is_final:
                    raise

    def _trip(self, error: Exception) -> None:
        with self._tripping:
            if self.is_open:
                return
            self.is_open = True
        log.warning("Redis does not answer, this process goes on without it: %s", error)
        client = Redis.from_url(
            self._url,
            socket_timeout=self._seconds,
            socket_connect_timeout=self._seconds,
            retry=Retry(NoBackoff(), 0),
        )
        task = Task(
            "redis probe",
            lambda: self._probe(client, task),
            failure="Redis does not answer yet",
            retry=0,
            expected=(RedisError,),
        )
        task.start()

    def _probe(self, client: Redis, task: Task) -> None:
        """Ask by a write: a Redis that is paused for writes alone is of no use either. An answer ends the task."""
        time.sleep(PROBE_SECONDS)
        try:
            client.set(names.PROBE, 1, ex=PROBE_TTL)
        except ResponseError as error:
            log.warning("Redis answers, but does not store: %s", error)
        self.is_open = False
        task.stop()
        client.close()
        log.info("Redis answers again")


_breakers: dict[tuple[str, float], Breaker] = {}
_making = threading.Lock()


def breaker_of(url: str, seconds: float) -> Breaker:
    """The one breaker of this process for that Redis."""
    with _making:
        return _breakers.setdefault((url, seconds), Breaker(url, seconds))
