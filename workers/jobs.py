"""The jobs that an ordinary `rq worker` can run. It is slower than workers of ours and just as correct."""

from functools import cache

from sqlalchemy import Engine

from queues.bus import Bus
from queues.clearing_wakeups import ALL, ClearingWakeups
from queues.connection import connect as connect_redis
from queues.jobs import clearing_queue
from queues.wakeups import Wakeups
from queues.webhook_wakeups import WebhookWakeups
from settings.loading import load_settings
from workers.clearing import ClearingWorker
from workers.database import connect_sender, connect_worker
from workers.matcher import Matcher
from workers.presence import WorkerPresence
from workers.sending.receivers import Receivers, sending_of
from workers.sending.run import deliver
from workers.sending.telling import Sending


def match_symbol(symbol: str) -> None:
    """Match everything that waits for one stock."""
    wakeups, matcher = _matcher()
    wakeups.clear(symbol)
    while matcher.run_once([symbol]):
        continue


def deliver_webhooks(broker_id: int) -> None:
    """Send what is due to one broker's receiver."""
    wakeups, engine, sending = _sender()
    wakeups.clear(broker_id)
    while deliver(engine, broker_id, sending).due_in == 0:
        continue


def judge_trades() -> None:
    """Judge what is new on the tapes."""
    jobs, worker = _clearing()
    jobs.clear(ALL)
    worker.judge()


@cache
def _clearing() -> tuple[ClearingWakeups, ClearingWorker]:
    settings = load_settings()
    redis = connect_redis(settings.redis)
    presence = WorkerPresence("clearing", redis, [clearing_queue(redis)])
    jobs = ClearingWakeups(redis)
    return jobs, ClearingWorker(connect_worker(settings, "minex-clearing"), jobs, Wakeups(redis), presence, settings)


@cache
def _sender() -> tuple[WebhookWakeups, Engine, Sending]:
    settings = load_settings()
    return WebhookWakeups(connect_redis(settings.redis)), connect_sender(settings), sending_of(settings, Receivers())


@cache
def _matcher() -> tuple[Wakeups, Matcher]:
    """One matcher a process: its books and connections serve every job that it runs."""
    settings = load_settings()
    redis = connect_redis(settings.redis)
    matcher = Matcher(connect_worker(settings), Bus(redis), settings, settings.match.turn_limit)
    return Wakeups(redis), matcher
