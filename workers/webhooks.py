"""The senders: they tell brokers' receivers what happened to their orders, many at once, each in order.

Jobs of RQ's queue `webhooks` say which hooks to look at; whatever no job came for is found in PostgreSQL. Receivers
that answer soon, and those that do not, are served by threads of their own, so that a dead one keeps nobody waiting.
"""

import logging
import os
import time

from redis import RedisError

from database.errors import is_passing
from database.session import transaction
from heartbeat import LONGEST_TURN_SECONDS, Progress, start_beating
from queues.connection import connect as connect_redis
from queues.jobs import webhook_queue
from queues.webhook_wakeups import WebhookWakeups
from services.webhooks.claims import release, renew, waiting_brokers, well_brokers
from services.webhooks.deliveries import forget_old
from settings.sections import Settings
from workers.database import connect_sender
from workers.presence import WorkerPresence
from workers.sending.receivers import Receivers, sending_of
from workers.sending.senders import LONGEST_WAIT_SECONDS, Senders
from workers.stopping import stopped_by_signals

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often it is looked for what no job has come for, and claims are renewed."""

FORGET_SECONDS = 600.0


class WebhookWorker:
    """Hears what is to be sent, and looks after what changes seldom, until it is told to stop."""

    def __init__(
        self, senders: Senders, wakeups: WebhookWakeups, presence: WorkerPresence, receivers: Receivers, keep_days: int
    ) -> None:
        self.senders = senders
        self.wakeups = wakeups
        self.presence = presence
        self.receivers = receivers
        self.keep_days = keep_days
        self._looked_at = self._forgot_at = float("-inf")
        self._suspended = False
        self._redis_away = False
        self._knows_the_quick = False

    def run_once(self) -> None:
        """Wait for jobs, at most LONGEST_WAIT_SECONDS, and begin with what is due."""
        try:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                self._looked_at = time.monotonic()
                self._look_around()
                self._suspended = self.wakeups.suspended()
                self.presence.show_queues(suspended=self._suspended)
            if self._suspended:
                time.sleep(LONGEST_WAIT_SECONDS)
                return
            self.senders.look_at(self.wakeups.wait(self.senders.seconds_to_next(), self.presence.key))
            if self._redis_away:
                log.info("Redis is back")
                self._redis_away = False
        except RedisError as error:
            if not self._redis_away:
                log.warning("Redis is away, looking into PostgreSQL instead: %s", error)
                self._redis_away = True
            time.sleep(LONGEST_WAIT_SECONDS)
            self.senders.go_on()

    def _look_around(self) -> None:
        running = self.senders.running
        self.receivers.close_idle(running)
        try:
            with transaction(self.senders.engine) as session:
                renew(session, running, self.senders.sending.sender)
                if not self._knows_the_quick:
                    self.senders.expect_quick(well_brokers(session))
                    self._knows_the_quick = True
                waiting = [] if self._suspended else waiting_brokers(session)
            if time.monotonic() - self._forgot_at >= FORGET_SECONDS:
                self._forgot_at = time.monotonic()
                with transaction(self.senders.engine) as session:
                    forget_old(session, self.keep_days)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("PostgreSQL is away: %s", error)
            return
        self.senders.find(waiting)


def main(settings: Settings) -> None:
    """Send until SIGTERM. PostgreSQL and Redis may come later."""
    stopped = stopped_by_signals()
    progress = Progress(LONGEST_TURN_SECONDS)
    start_beating(progress.goes_on)
    if not settings.webhooks.enabled:
        log.info("[webhooks] enabled = false: what is to be sent waits")
        while not stopped.wait(LONGEST_WAIT_SECONDS):
            progress.note()
        return
    redis = connect_redis(settings.redis, patience_ms=settings.redis.timeout_ms + int(LONGEST_WAIT_SECONDS * 1000))
    receivers = Receivers()
    senders = Senders(connect_sender(settings), sending_of(settings, receivers), settings.webhooks.connections)
    presence = WorkerPresence("webhooks", redis, [webhook_queue(redis)])
    worker = WebhookWorker(senders, WebhookWakeups(redis), presence, receivers, settings.webhooks.keep_days)
    log.info("telling brokers' receivers, at most %d at once", settings.webhooks.connections)
    while not stopped.is_set():
        progress.note()
        worker.run_once()
    left = senders.stop()
    presence.leave()
    if left:
        _give_up(senders, left)


def _give_up(senders: Senders, brokers: set[int]) -> None:
    """Let others have these receivers, and end with what is under way: its threads would be waited for."""
    try:
        with transaction(senders.engine) as session:
            release(session, brokers, senders.sending.sender)
    except Exception as error:
        if not is_passing(error):
            raise
        log.warning("PostgreSQL is away, %d claims run out by themselves: %s", len(brokers), error)
    logging.shutdown()
    os._exit(0)
