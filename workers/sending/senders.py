"""Many receivers at once: who is to be looked at when, and by which thread."""

import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy import Engine

from database.errors import is_passing
from workers.sending.run import Run, deliver
from workers.sending.telling import Sending

log = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS: Final = 0.25
"""How late something may be that was to be tried again."""

PAUSE_SECONDS: Final = 1.0
"""A receiver that has to wait for its time is not looked at more often, whatever jobs come; nor is one at all, after an
error of PostgreSQL's."""

STOP_SECONDS: Final = 2.0
"""How long a stop waits for answers; what has none by then is sent again by somebody else."""

QUICK_SHARE: Final = 4
"""One of so many threads is for receivers that have answered soon: all others share the others."""


class Senders:
    """The brokers' hooks that have something to be told, and the threads that tell."""

    def __init__(self, engine: Engine, sending: Sending, connections: int) -> None:
        self.engine = engine
        self.sending = sending
        quick = max(1, connections // QUICK_SHARE)
        self._quick = ThreadPoolExecutor(quick, "webhooks-quick")
        self._slow = ThreadPoolExecutor(max(1, connections - quick), "webhooks-slow")
        self._due: dict[int, float] = {}
        """When each broker that waits is to be looked at, on the steady clock."""
        self._running: dict[int, bool] = {}
        """Brokers at work, and whether somebody wants them looked at again."""
        self._looked_at: dict[int, float] = {}
        self._is_quick: dict[int, bool] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def look_at(self, broker_ids: Iterable[int]) -> None:
        """Have these hooks looked at soon."""
        now = time.monotonic()
        with self._lock:
            for broker_id in broker_ids:
                if broker_id in self._running:
                    self._running[broker_id] = True
                elif broker_id in self._due:
                    soonest = self._looked_at.get(broker_id, float("-inf")) + PAUSE_SECONDS
                    self._due[broker_id] = min(self._due[broker_id], max(now, soonest))
                else:
                    self._due[broker_id] = now
        self.go_on()

    def expect_quick(self, broker_ids: Iterable[int]) -> None:
        """Believe of these that they answer soon, until they have been asked; of others nobody knows."""
        with self._lock:
            for broker_id in broker_ids:
                self._is_quick.setdefault(broker_id, True)

    def find(self, broker_ids: Iterable[int]) -> None:
        """Have those of these looked at that nobody knows of."""
        with self._lock:
            unknown = [broker_id for broker_id in broker_ids if broker_id not in self._due | self._running]
        self.look_at(unknown)

    @property
    def running(self) -> set[int]:
        """The brokers at work."""
        with self._lock:
            return set(self._running)

    def seconds_to_next(self) -> float:
        """Until the next one is due, at most LONGEST_WAIT_SECONDS."""
        with self._lock:
            soonest = min(self._due.values(), default=float("inf"))
        return min(max(soonest - time.monotonic(), 0.01), LONGEST_WAIT_SECONDS)

    def go_on(self) -> None:
        """Begin with those that are due."""
        now = time.monotonic()
        with self._lock:
            if self._stopped.is_set():
                return
            for broker_id in [broker_id for broker_id, due in self._due.items() if due <= now]:
                del self._due[broker_id]
                self._running[broker_id] = False
                lane = self._quick if self._is_quick.get(broker_id, False) else self._slow
                lane.submit(self._run, broker_id)

    def stop(self) -> set[int]:
        """Begin nothing more, and wait a moment for what is under way; the brokers of which something still is."""
        self._stopped.set()
        for lane in (self._quick, self._slow):
            lane.shutdown(wait=False, cancel_futures=True)
        until = time.monotonic() + STOP_SECONDS
        while self.running and time.monotonic() < until:
            time.sleep(0.02)
        return self.running

    def _run(self, broker_id: int) -> None:
        run = Run(PAUSE_SECONDS)
        try:
            run = deliver(self.engine, broker_id, self.sending, self._stopped.is_set)
        except Exception as error:
            if is_passing(error):
                log.warning("PostgreSQL is away, the hook of broker %d waits: %s", broker_id, error)
            else:
                log.exception("the hook of broker %d cannot be served", broker_id)
        now = time.monotonic()
        with self._lock:
            self._looked_at[broker_id] = now
            if run.is_quick is not None:
                self._is_quick[broker_id] = run.is_quick
            if self._running.pop(broker_id):
                self._due[broker_id] = now if run.is_quick is not False else now + PAUSE_SECONDS
            if run.due_in is not None:
                self._due[broker_id] = min(now + run.due_in, self._due.get(broker_id, float("inf")))
        self.go_on()
