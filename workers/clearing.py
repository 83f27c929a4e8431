"""Clearing: it judges each trade by the rules, and looks after debts and requests that wait.

Jobs of RQ's queue `clearing` say that there is something on the tapes; what no job came for is found in PostgreSQL.
Several may work at once: how far a tape was judged is locked while it is.
"""

import logging
import time

from redis import RedisError
from sqlalchemy import Engine

from database.errors import is_passing
from database.session import transaction
from heartbeat import LONGEST_TURN_SECONDS, Progress, start_beating
from queues.clearing_wakeups import ClearingWakeups
from queues.connection import connect as connect_redis
from queues.jobs import clearing_queue
from queues.wakeups import Wakeups
from services.clearing.busting.position_points import take_points
from services.clearing.judge import judge_tapes
from services.clearing.upkeep import Upkeep
from settings.sections import Settings
from workers.database import connect_worker
from workers.presence import WorkerPresence
from workers.stopping import stopped_by_signals

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often it is looked for what no job has come for, and for what else is to be looked after."""

POINTS_SECONDS = 300.0
"""How often positions are written down: a bust works out again what has happened since then."""


class ClearingWorker:
    """Judges trades until it is told to stop."""

    def __init__(
        self, engine: Engine, jobs: ClearingWakeups, wakeups: Wakeups, presence: WorkerPresence, settings: Settings
    ) -> None:
        self.engine = engine
        self.jobs = jobs
        self.wakeups = wakeups
        self.presence = presence
        self.terms = settings.clearing
        self.upkeep = Upkeep()
        self._looked_at = self._points_at = float("-inf")
        self._suspended = False
        self._redis_away = False

    def run_once(self) -> None:
        """Wait for a job, at most LOOK_SECONDS, and do what there is to do. Raises what PostgreSQL raises."""
        rung = self._wait()
        if self._suspended:
            return
        now = time.monotonic()
        is_due = now - self._looked_at >= LOOK_SECONDS
        if rung or is_due:
            self.judge()
        if is_due:
            self._looked_at = now
            self.look_after()
        if now - self._points_at >= POINTS_SECONDS:
            self._points_at = now
            with transaction(self.engine) as session:
                take_points(session, self.terms.window_seconds)

    def judge(self) -> int:
        """Judge all that is new; how many trades that were."""
        trades, more = 0, True
        while more:
            with transaction(self.engine) as session:
                found = judge_tapes(session, self.terms)
            trades, more = trades + found.trades, found.more
            if found.flagged:
                log.info("%d of %d trades break a rule", found.flagged, found.trades)
            if found.stocks:
                self.wakeups.wake(found.stocks)
        return trades

    def look_after(self) -> None:
        """Let requests run out, debtors go that have repaid, and busts be done for which there is room now."""
        with transaction(self.engine) as session:
            stocks = self.upkeep.look_after(session, self.terms.window_seconds)
        for broker_id in self.upkeep.released:
            log.info("broker %d owes nothing any more, and may trade again", broker_id)
        if stocks:
            self.wakeups.wake(stocks)

    def _wait(self) -> bool:
        """True if a job has come."""
        try:
            self._suspended = self.jobs.suspended()
            self.presence.show_queues(suspended=self._suspended)
            rung = False
            if self._suspended:
                time.sleep(LOOK_SECONDS)
            else:
                rung = bool(self.jobs.wait(LOOK_SECONDS, self.presence.key))
            if self._redis_away:
                log.info("Redis is back")
                self._redis_away = False
        except RedisError as error:
            if not self._redis_away:
                log.warning("Redis is away, looking into PostgreSQL instead: %s", error)
                self._redis_away = True
            time.sleep(LOOK_SECONDS)
            return True
        return rung


def main(settings: Settings) -> None:
    """Judge until SIGTERM. PostgreSQL and Redis may come later."""
    stopped = stopped_by_signals()
    progress = Progress(LONGEST_TURN_SECONDS)
    start_beating(progress.goes_on)
    redis = connect_redis(settings.redis, patience_ms=settings.redis.timeout_ms + int(LOOK_SECONDS * 1000))
    presence = WorkerPresence("clearing", redis, [clearing_queue(redis)])
    engine = connect_worker(settings, "minex-clearing")
    worker = ClearingWorker(engine, ClearingWakeups(redis), Wakeups(redis), presence, settings)
    log.info("judging trades by the rules of [clearing]")
    while not stopped.is_set():
        progress.note()
        try:
            worker.run_once()
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("PostgreSQL is away, clearing waits: %s", error)
            stopped.wait(LOOK_SECONDS)
    presence.leave()
