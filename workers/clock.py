"""The clock: what must happen by itself, now and then. It only asks; the books decide.

One clock works at a time, by a lease in PostgreSQL; a second one stands by.
"""

import logging
import os
import secrets
import socket
from collections.abc import Callable

from sqlalchemy import Engine, text

from database.errors import is_passing
from database.session import transaction
from heartbeat import LONGEST_TURN_SECONDS, Progress, start_beating
from queues.clearing_wakeups import ClearingWakeups
from queues.connection import connect as connect_redis
from queues.wakeups import Wakeups
from services.accounts.equity import take_equity
from services.accounts.fee_terms import count_turnover
from services.clearing.judge import is_behind
from services.matching.sweep import forgotten_stocks
from services.operations.lease import CLOCK_LEASE, release_lease, take_lease
from services.order_entry.changing.cancel_after import cancel_for_the_silent
from services.order_entry.changing.expire import expire_due_orders
from services.stocks.run_schedule import run_schedules
from settings.sections import Settings
from workers.database import connect_worker
from workers.stopping import stopped_by_signals

log = logging.getLogger(__name__)

NOW = text("SELECT clock_timestamp()")


class Clock:
    """The periodic jobs of the exchange."""

    def __init__(self, engine: Engine, wakeups: Wakeups, settings: Settings) -> None:
        self.engine = engine
        self.wakeups = wakeups
        self.clearing = ClearingWakeups(wakeups.redis)
        self.settings = settings
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"

    def run_once(self) -> bool:
        """Ask for what is due by now and wake forgotten inboxes; False when another clock does it."""
        with transaction(self.engine) as session:
            if not take_lease(session, CLOCK_LEASE, self.name, self.settings.clock.lease_seconds):
                return False
            due = expire_due_orders(session)
            due += cancel_for_the_silent(session)
            now = session.scalar(NOW)
            run = run_schedules(session, self.settings, now)
            due += run.stocks
            if run.is_day_over:
                count_turnover(session, now)
        with transaction(self.engine) as session:
            take_equity(session, session.scalar(NOW))
        with transaction(self.engine) as session:
            forgotten = forgotten_stocks(session, self.settings.clock.sweep_after_ms)
            unjudged = is_behind(session)
        if unjudged:
            self.clearing.wake_all()
        if due:
            self.wakeups.wake(due)
        if forgotten:
            log.info("waking %d forgotten stocks", len(forgotten))
            self.wakeups.wake(forgotten, again=True)
        return True

    def release(self) -> None:
        """Let another clock take over at once."""
        with transaction(self.engine) as session:
            release_lease(session, CLOCK_LEASE, self.name)


def main(settings: Settings) -> None:
    """Run the clock until SIGTERM."""
    stopped = stopped_by_signals()
    progress = Progress(LONGEST_TURN_SECONDS + settings.clock.interval_ms / 1000)
    start_beating(progress.goes_on)
    clock = Clock(connect_worker(settings, "minex-clock"), Wakeups(connect_redis(settings.redis)), settings)
    log.info("the clock runs every %d ms", settings.clock.interval_ms)
    while not stopped.wait(settings.clock.interval_ms / 1000):
        progress.note()
        _tick(clock.run_once)
    _tick(clock.release)


def _tick(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception as error:
        if not is_passing(error):
            raise
        log.warning("PostgreSQL is away, the clock waits: %s", error)
