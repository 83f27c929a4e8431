"""How workers connect to PostgreSQL."""

from sqlalchemy import Engine

from database.session import PLANS, connect
from database.timed import timed
from services.matching.match import LONG_ANSWER_SECONDS
from settings.connections import CONNECTIONS_OF_WEBHOOKS
from settings.sections import Settings


def connect_worker(settings: Settings, application: str = "minex-match") -> Engine:
    """One connection whose transactions cannot be held by a worker that hangs, nor the worker by PostgreSQL.

    A stopped process keeps its locks and would commit when it wakes. PostgreSQL ends its transaction after
    `idle_in_transaction_ms`, so another worker takes over and the zombie's commit is refused. A server process that
    never answers is given up (`database.timed`); the matching says for each turn when.
    """
    engine = connect(
        settings.database.url,
        pool_size=1,
        application=application,
        idle_in_transaction_session_timeout=settings.match.idle_in_transaction_ms,
        lock_timeout=settings.match.lock_timeout_ms,
        **PLANS,
    )
    return timed(engine, LONG_ANSWER_SECONDS)


def connect_sender(settings: Settings) -> Engine:
    """Connections of a process that sends to brokers' receivers.

    Its commits wait for no disk: what is lost with a machine is sent again.
    """
    engine = connect(
        settings.database.url,
        pool_size=CONNECTIONS_OF_WEBHOOKS,
        application="minex-webhooks",
        prepares=True,
        synchronous_commit="off",
        idle_in_transaction_session_timeout=settings.match.idle_in_transaction_ms,
        lock_timeout=settings.match.lock_timeout_ms,
        **PLANS,
    )
    return timed(engine, LONG_ANSWER_SECONDS)


def connect_reporter(settings: Settings) -> Engine:
    """One connection for what can be worked out again: its commits wait for no disk.

    Its statements add up whatever there is, by plans of their own.
    """
    engine = connect(
        settings.database.url,
        pool_size=1,
        application="minex-reporter",
        prepares=True,
        synchronous_commit="off",
        idle_in_transaction_session_timeout=settings.match.idle_in_transaction_ms,
        lock_timeout=settings.match.lock_timeout_ms,
    )
    return timed(engine, LONG_ANSWER_SECONDS)
