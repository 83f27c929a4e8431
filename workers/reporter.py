"""The reporter: it follows the tapes, keeps candles and sessions up to date, and tells prices and candles.

What it keeps and tells follows from what is settled, so it catches up after any stop. One reporter works at a time, by
a lease in PostgreSQL; a second one stands by. Redis only rings: while it is away the reporter looks by itself.
"""

import logging
import os
import secrets
import socket
import time
from datetime import UTC, datetime

from sqlalchemy import Engine

from database.errors import is_passing
from database.session import transaction
from heartbeat import LONGEST_TURN_SECONDS, Progress, start_beating
from queues.bus import Bus, books_of
from queues.connection import connect as connect_redis
from queues.listening import Doorbell
from queues.names import EVENTS_CHANNEL, REPORTS_CHANNEL
from services.history.keeping import keep_books
from services.market_data.candles.intervals import zones_of
from services.market_data.candles.report import forget_old
from services.operations.lease import REPORTER_LEASE, release_lease, take_lease
from settings.sections import Settings
from workers.database import connect_reporter
from workers.market_news import MarketNews
from workers.stopping import stopped_by_signals

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
"""Longest wait for a turn of the matching; also how often it is looked where nothing rang."""

REST_FACTOR = 4.0

FORGET_SECONDS = 600.0
"""How often it is looked for what is no longer kept."""


class Reporter:
    """Takes one step after the other, but no two within the interval."""

    def __init__(self, engine: Engine, bus: Bus, bell: Doorbell, settings: Settings) -> None:
        self.engine = engine
        self.bus = bus
        self.bell = bell
        self.settings = settings.reporter
        self.news = MarketNews(zones_of(settings))
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._renewed_at = self._looked_at = self._forgot_at = float("-inf")
        self._leads = False
        self._rung: set[str] = set()
        """Symbols of stocks of which was heard that they had a turn."""

    def run_once(self) -> bool:
        """Take one step; False when another reporter does it. Raises what PostgreSQL raises."""
        now = time.monotonic()
        if not self._has_lease(now):
            return False
        thoroughly = now - self._looked_at >= IDLE_SECONDS
        try:
            with transaction(self.engine) as session:
                self.news.gather(session, datetime.now(UTC), self._rung, thoroughly=thoroughly)
        except BaseException:
            self.news.forget()
            raise
        self._rung.clear()
        self.tell()
        if thoroughly:
            self._looked_at = now
            self._keep_books()
        self._forget_old(now)
        return True

    def tell(self) -> None:
        """Tell what has not been told; what Redis does not take is told with the next step."""
        untold = self.news.untold()
        if untold and self.bus.announce(untold):
            self.news.told()

    def wait(self, began: float) -> None:
        """Until there is something to look at, and not before the interval since `began` is over.

        A step that took long is followed by a rest of REST_FACTOR times its length, of IDLE_SECONDS at most: where
        processors are short, they are left to those who match, and the more is taken together.
        """
        if self.news.is_behind:
            return
        taken = time.monotonic() - began
        rest = min(REST_FACTOR * taken, IDLE_SECONDS)
        time.sleep(max(rest, self.settings.interval_ms / 1000 - taken))
        for heard in self.bell.wait(self.news.seconds_to_next(datetime.now(UTC), IDLE_SECONDS)):
            self._rung.update(books_of(heard))

    def release(self) -> None:
        """Let another reporter take over at once."""
        with transaction(self.engine) as session:
            release_lease(session, REPORTER_LEASE, self.name)

    def _has_lease(self, now: float) -> bool:
        """Whether this reporter works; asked for again when a third of the time is over."""
        if self._leads and now - self._renewed_at < self.settings.lease_seconds / 3:
            return True
        with transaction(self.engine) as session:
            leads = take_lease(session, REPORTER_LEASE, self.name, self.settings.lease_seconds)
        if leads and not self._leads:
            log.info("this reporter works now")
            self.news.forget()  # others have told what happened meanwhile, or nobody has
        self._leads, self._renewed_at = leads, now
        return leads

    def _keep_books(self) -> None:
        """For whoever asks later how a fill came about."""
        with transaction(self.engine) as session:
            keep_books(session)

    def _forget_old(self, now: float) -> None:
        if self.settings.seconds_kept_days and now - self._forgot_at >= FORGET_SECONDS:
            self._forgot_at = now
            with transaction(self.engine) as session:
                forget_old(session, self.settings.seconds_kept_days)


def main(settings: Settings) -> None:
    """Run the reporter until SIGTERM. PostgreSQL and Redis may come later."""
    stopped = stopped_by_signals()
    progress = Progress(LONGEST_TURN_SECONDS)
    start_beating(progress.goes_on)
    bell = Doorbell(connect_redis(settings.redis), EVENTS_CHANNEL)
    bus = Bus(connect_redis(settings.redis), REPORTS_CHANNEL)
    reporter = Reporter(connect_reporter(settings), bus, bell, settings)
    log.info("the reporter follows the tapes, at most every %d ms", settings.reporter.interval_ms)
    while not stopped.is_set():
        progress.note()
        began = time.monotonic()
        try:
            works = reporter.run_once()
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("PostgreSQL is away, the reporter waits: %s", error)
            works = False
        if works:
            reporter.wait(began)
        else:
            stopped.wait(IDLE_SECONDS)
    try:
        reporter.release()
    except Exception as error:
        if not is_passing(error):
            raise
        log.warning("PostgreSQL is away, the lease runs out by itself: %s", error)
