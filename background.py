"""What a process does for ever beside its other work: one way to run it, that neither ends nor falls silent unnoticed.

A task is a step that is taken again and again. Whatever it raises is survived and said, each kind once a minute, and
its last success is known, so that `/health` and the supervisor can judge by its age.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
"""Pause after a step that failed."""

STUCK_SECONDS = 40.0
"""A step that takes longer will never end: nothing that it waits for is waited for so long."""

GIVE_UP_SECONDS = 60.0
"""A task that has failed for so long through no fault of others is begun anew, with its process."""

SAY_AGAIN_SECONDS = 60.0
MOST_KINDS = 100
"""Of what went wrong are remembered; then all are said anew."""


@dataclass(slots=True)
class _Kind:
    """What has gone wrong in the same way."""

    said_at: float
    unsaid: int = 0


EXTENSION = "minex background"
"""Where an application has its `Tasks`."""


class Complaints:
    """What goes wrong again and again, said once a minute for each kind, with how often it was."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[type, str, int], _Kind] = {}

    def say(self, error: Exception, what: str, *, is_expected: bool) -> None:
        """Log that `what` failed, if that has not just been said: with a traceback unless it `is_expected`."""
        kind, now = _kind_of(error), time.monotonic()
        known = self._kinds.get(kind)
        if known is not None and now - known.said_at < SAY_AGAIN_SECONDS:
            known.unsaid += 1
            return
        if len(self._kinds) >= MOST_KINDS:
            self._kinds.clear()
        self._kinds[kind] = _Kind(now)
        again = f" ({known.unsaid} more times since the last word of it)" if known is not None and known.unsaid else ""
        if is_expected:
            log.warning("%s: %s%s", what, " ".join(str(error).split())[:300], again)
        else:
            log.error("%s%s", what, again, exc_info=error)


class Task:
    """One task, in a thread of its own from `start` on."""

    def __init__(
        self,
        name: str,
        step: Callable[[], object],
        *,
        failure: str,
        pause: float = 0.0,
        retry: float = RETRY_SECONDS,
        fresh_seconds: float = 5.0,
        expected: tuple[type[Exception], ...] = (),
    ) -> None:
        """`step` waits by itself for what it is about, some seconds at most; or it is waited for `pause` after each.

        After one that failed it is `retry` seconds. `failure`: what is said then. `fresh_seconds`: how old the last
        success may get before anybody is told. `expected`: what is raised when others are away, PostgreSQL or Redis.
        """
        self.name = name
        self._pause = pause
        self._retry = retry
        self.fresh_seconds = fresh_seconds
        self._step = step
        self._failure = failure
        self._expected = expected
        self._complaints = Complaints()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        now = time.monotonic()
        self._came_round_at = self._succeeded_at = self._blameless_at = now

    def start(self) -> None:
        """Begin; nothing if it has begun."""
        with self._starting:
            if self._thread is None:
                self._came_round_at = self._succeeded_at = self._blameless_at = time.monotonic()
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Take no further step."""
        self._stopped.set()

    def run_once(self) -> bool:
        """Take one step; False where it failed."""
        try:
            self._step()
        except Exception as error:  # noqa: BLE001 - it is logged, and whatever it is, the task goes on
            is_expected = isinstance(error, self._expected)
            if is_expected:
                self._blameless_at = time.monotonic()
            self._complaints.say(error, self._failure, is_expected=is_expected)
            return False
        finally:
            self._came_round_at = time.monotonic()
        self._succeeded_at = self._blameless_at = time.monotonic()
        return True

    @property
    def age(self) -> float:
        """Seconds since its last success; 0 before it has begun."""
        return time.monotonic() - self._succeeded_at if self._thread is not None else 0.0

    @property
    def is_stale(self) -> bool:
        """Whether its last success is too long ago for others to rely on it."""
        return self.age > self.fresh_seconds

    @property
    def goes_on(self) -> bool:
        """False once only a new process helps: no step ends any more, or all fail though nobody else is at fault."""
        if self._thread is None:
            return True
        now = time.monotonic()
        return now - self._came_round_at < STUCK_SECONDS and now - self._blameless_at < GIVE_UP_SECONDS

    def _run(self) -> None:
        while not self._stopped.is_set():
            pause = self._pause if self.run_once() else self._retry
            if pause:
                self._stopped.wait(pause)


class Tasks:
    """The background tasks of one process."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []

    def add(self, task: Task) -> Task:
        """One more; whoever made it starts it."""
        self._tasks.append(task)
        return task

    def stale(self) -> list[str]:
        """The names of those whose last success is too long ago."""
        return [task.name for task in self._tasks if task.is_stale]

    def go_on(self) -> bool:
        """Whether all go on, or can: as `Task.goes_on`."""
        return all(task.goes_on for task in self._tasks)

    def stop(self) -> None:
        """Let none take a further step."""
        for task in self._tasks:
            task.stop()


def _kind_of(error: Exception) -> tuple[type, str, int]:
    """What an error is counted as: its class, and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    place = (frames[0].filename, frames[0].lineno or 0) if frames else ("", 0)
    return type(error), *place
