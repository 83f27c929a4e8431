"""Connections to PostgreSQL that let other requests go on while one waits, at the least cost.

psycopg waits with `select.poll`, which gevent replaces by one that makes a watcher, an event and a timer for each wait.
Here a connection keeps its watchers.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from gevent import Timeout, get_hub, getcurrent, monkey
from psycopg.abc import PQGen
from psycopg.waiting import WAIT_R
from sqlalchemy import Engine

from database.timed import TimedConnection, timed

Done = TypeVar("Done")

READ, WRITE = 1, 2
"""As libev and psycopg call them alike."""

CLOCK = 0
"""The watcher that waits for nothing but time."""


class GreenConnection(TimedConnection):
    """Used by one greenlet at a time, and always by greenlets of the same thread."""

    _watchers: dict[int, Any]
    _clock_seconds: float
    answered: Callable[[], None] = staticmethod(lambda: None)
    """Called when something has been waited for."""

    def wait(self, gen: PQGen[Done], interval: float = 0.0, timeout: float | None = None) -> Done:
        """Let `gen` go on whenever it can. What wants a timeout of its own waits as psycopg does."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        clock = self._clock()
        greenlet, over = getcurrent(), Timeout()
        if self.answer_seconds:
            clock.again(greenlet.throw, over)
        try:
            wanted = next(gen)
            while True:
                events = READ if wanted == WAIT_R else READ | WRITE
                get_hub().wait(self._watcher(events))
                wanted = gen.send(events)  # trying what is not ready yet does no harm
        except StopIteration as end:
            self.answered()
            return cast(Done, end.value)
        except Timeout as late:
            if late is not over:
                raise
            raise self.given_up() from late
        finally:
            clock.stop()

    def close(self) -> None:
        """Close the connection and its watchers."""
        for watcher in vars(self).pop("_watchers", {}).values():
            watcher.close()
        super().close()

    def _clock(self) -> Any:
        """Runs while an answer is waited for; `again` gives it all of its time each time."""
        watchers = vars(self).setdefault("_watchers", {})
        if CLOCK not in watchers or self._clock_seconds != self.answer_seconds:
            loop: Any = get_hub().loop
            watchers[CLOCK] = loop.timer(0, self.answer_seconds)
            self._clock_seconds = self.answer_seconds
        return watchers[CLOCK]

    def _watcher(self, events: int) -> Any:
        watchers = vars(self).setdefault("_watchers", {})
        if events not in watchers:
            loop: Any = get_hub().loop
            watchers[events] = watcher = loop.io(self.pgconn.socket, events)
            watcher.priority = loop.MAXPRI  # what is under way goes on before anything new begins
        return watchers[events]


def green(engine: Engine, answer_seconds: float, answered: Callable[[], None] | None = None) -> Engine:
    """Let every connection of a new `engine` give up in time, and, where gevent is, let others go on until then.

    `answered` is called by whoever has got an answer, before he uses it.
    """
    if not monkey.is_module_patched("select"):
        return timed(engine, answer_seconds)
    if answered is None:
        return timed(engine, answer_seconds, GreenConnection)
    kind = type("YieldingConnection", (GreenConnection,), {"answered": staticmethod(answered)})
    return timed(engine, answer_seconds, kind)
