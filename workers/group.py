"""The group worker: it owns the queues of one group of stocks.

On each turn it takes every waiting wake-up of its group and matches all those stocks in one transaction: a turn costs
about the same with one order or fifty, so taking everything that waits is what scales. To operators it is an ordinary
RQ worker (`workers.presence`). While Redis is away or hangs, also at the start, it looks into PostgreSQL by itself.
"""

import gc
import logging
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from redis import RedisError
from sqlalchemy.orm import Session
from structlog.contextvars import bind_contextvars

from database.errors import is_passing
from database.session import transaction
from heartbeat import Progress, start_beating
from queues.bus import Bus
from queues.connection import connect as connect_redis
from queues.wakeups import Wakeups
from services.matching.books import StuckStock
from services.matching.sweep import symbols_of, waiting_stocks
from settings.sections import Settings
from workers.database import connect_worker
from workers.matcher import Matcher
from workers.presence import Presence

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
"""Longest wait for a wake-up; also how long a shutdown may take."""

LOOK_SECONDS = 1.0
"""How often the group's list of stocks, suspension and queued jobs are looked at."""

AWAY_SECONDS = 0.2
"""How often the inbox is looked at while Redis is away."""

SET_ASIDE_SECONDS = 5.0
"""How long a stock that cannot go on is left out before it is tried again."""

GARBAGE_THRESHOLDS = (20_000, 20, 100)
"""When Python looks for garbage in cycles, in objects made. Orders and turns leave none; by default every few orders it
would look through the latest, and again and again through all that rest in the books."""


class GroupWorker:
    """Matches one group of stocks until it is told to stop."""

    def __init__(
        self, group: str, matcher: Matcher, wakeups: Wakeups, presence: Presence, progress: Progress | None = None
    ) -> None:
        self.group = group
        self.symbols: list[str] = []
        self.matcher = matcher
        self.wakeups = wakeups
        self.presence = presence
        self.progress = progress or Progress()
        self.matcher.note = self.progress.note
        self.matcher.tells_later = True
        self.pending: list[str] = []
        """Stocks whose wake-up was taken and whose inbox may not be empty yet, oldest first."""
        self.set_aside: dict[str, float] = {}
        """Stocks that cannot go on, and when each is to be tried again."""
        self._looked_at = float("-inf")
        self._suspended = False
        self._redis_away = False
        self._stop_requested = False

    def work(self) -> None:
        """Take turns until SIGTERM or SIGINT."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        try:
            while not self._stop_requested:
                self.run_once()
        finally:
            self.matcher.tell()
            self.presence.leave()

    def run_once(self) -> None:
        """Wait for wake-ups, at most WAIT_SECONDS, and take one turn over every stock that has one."""
        self.progress.note()
        try:
            ready = self._ready()
        except RedisError as error:
            ready = self._without_redis(error)
        due = self._due_again()
        ready = [symbol for symbol in ready if symbol not in self.set_aside]
        self.pending = list(dict.fromkeys([*self.pending, *ready, *due]))
        if not self.pending or self._suspended:
            self.matcher.tell()
            return
        try:
            if not self.matcher.run_once(self.pending):
                self.pending = []
        except StuckStock as stuck:
            self.pending.remove(stuck.symbol)
            self.set_aside[stuck.symbol] = time.monotonic() + SET_ASIDE_SECONDS
            log.error("%s is set aside for %d s: %s", stuck.symbol, SET_ASIDE_SECONDS, stuck, exc_info=stuck)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("PostgreSQL cannot match just now, trying again: %s", error)
            self.matcher.tell()
            time.sleep(AWAY_SECONDS)

    def _due_again(self) -> list[str]:
        """The stocks that were set aside and are to be tried again."""
        now = time.monotonic()
        due = [symbol for symbol, until in self.set_aside.items() if now >= until]
        for symbol in due:
            del self.set_aside[symbol]
        return due

    def _ready(self) -> list[str]:
        """The stocks to look at; their flags are cleared and their jobs taken. Raises RedisError."""
        queued: list[str] = []
        if self._suspended or time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._note_suspension(self.wakeups.suspended())
            self._look_around()
            queued = self.wakeups.queued(self.symbols)
        if self._suspended:
            time.sleep(WAIT_SECONDS)
            return []
        ready = self.wakeups.take(self.group, also=queued, worker=self.presence.key)
        if not (ready or self.pending or queued):
            self.matcher.tell()
            ready = self.wakeups.wait(self.group, WAIT_SECONDS, worker=self.presence.key)
        if self._redis_away:
            log.info("Redis is back")
            self._redis_away = False
        return ready

    def _without_redis(self, error: RedisError) -> list[str]:
        """The stocks whose inbox is not empty, straight from PostgreSQL; none while suspended when last heard of."""
        if not self._redis_away:
            log.warning("Redis is away, looking into PostgreSQL instead: %s", error)
            self._redis_away = True
        time.sleep(AWAY_SECONDS)
        return [] if self._suspended else list(self._ask(waiting_stocks))

    def _note_suspension(self, suspended: bool) -> None:
        if suspended != self._suspended:
            log.info("suspended; `minex rq resume` goes on" if suspended else "resumed")
            self._suspended = suspended

    def _look_around(self) -> None:
        """Look after what changes seldom: read which stocks the group has, and say that we are alive."""
        symbols = list(self._ask(symbols_of) or self.symbols)
        if symbols != self.symbols:
            log.info("group %s now has %d stocks", self.group, len(symbols))
            self.symbols = symbols
        self.presence.show(self.symbols, suspended=self._suspended)

    def _ask(self, question: Callable[[Session, str], Sequence[str]]) -> Sequence[str]:
        """PostgreSQL's answer about the group; empty while it is away."""
        try:
            with transaction(self.matcher.engine) as session:
                return question(session, self.group)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("PostgreSQL is away: %s", error)
            return []

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Finish the turn, then stop; a second signal changes nothing, for a turn takes milliseconds."""
        self._stop_requested = True


def main(settings: Settings, group: str) -> None:
    """Run the worker of `group` until SIGTERM. PostgreSQL and Redis may come later."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    bind_contextvars(group=group)
    progress = Progress()
    start_beating(progress.goes_on)
    redis = connect_redis(settings.redis, patience_ms=settings.redis.timeout_ms + int(WAIT_SECONDS * 1000))
    matcher = Matcher(connect_worker(settings), Bus(connect_redis(settings.redis)), settings, settings.match.turn_limit)
    log.info("matching group %s", group)
    GroupWorker(group, matcher, Wakeups(redis), Presence(group, redis), progress).work()
