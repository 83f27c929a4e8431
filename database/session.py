"""Connections to PostgreSQL, and the one way to open a transaction."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import orjson
import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session

from database.cut import is_cut
from database.errors import UncertainCommit, has_stale_plan, without_values
from database.statements import Connected

Done = TypeVar("Done")

PLANS: dict[str, Any] = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""For connections whose every statement finds a few rows by their keys: one plan is right for all, by an index. Left to
itself PostgreSQL plans from statistics that are hours old or, on a new table, missing, and then reads the whole table.
"""

POOL_SECONDS = 2.0
"""How long one may wait for a connection while others have them all."""

PREPARED_AFTER = 5
"""Executions of a statement after which psycopg prepares it, where it does."""

WARNINGS = "warnings"
"""Where a pooled connection keeps its warnings."""

FRESH = "fresh"
"""Where it says that it has not been used yet."""


def connect(
    url: str, *, pool_size: int = 5, application: str = "minex", prepares: bool = False, **options: int | str
) -> Engine:
    """An engine with a connection pool; `options` are PostgreSQL settings of each connection, times in milliseconds.

    `prepares`: whether psycopg prepares what comes often. It forgets all of a connection's prepared statements with a
    rollback, and so those of a pipeline, too (`database.pipeline`).
    What its errors say has no values in it, neither parameters nor rows: they are for the log.
    `url` may be plain `postgresql://…`; the driver is psycopg 3. Every connection speaks UTC and compiles nothing: to
    compile a plan takes seconds, and each of our statements runs for milliseconds.
    """
    return pooled(url, pool_size, application, options, resets=True, prepares=prepares)


def pooled(
    url: str, pool_size: int, application: str, options: Mapping[str, int | str], *, resets: bool, prepares: bool
) -> Engine:
    """The same. `resets`: whether a transaction that is open on a connection which is given back is rolled back."""
    settings = {"timezone": "UTC", "jit": "off", **options}
    engine = create_engine(
        _with_driver(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=False,
        pool_reset_on_return="rollback" if resets else None,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "application_name": application,
            "prepare_threshold": PREPARED_AFTER if prepares else None,
            "connect_timeout": 5,
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
    event.listen(engine, "connect", _listen_for_warnings)
    event.listen(engine, "checkout", _refuse_closed)
    event.listen(engine, "handle_error", _drop_stale_plans)
    event.listen(engine, "handle_error", _hide_values)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session in one transaction: committed at the end of the block, rolled back when it raises.

    Raises UncertainCommit when PostgreSQL warned at the commit: with a synchronous standby gone, a commit that is
    cancelled while it waits for it is answered as done, but may be lost with the primary.
    """
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session
        warnings = forget_warnings(session)
    if warnings:
        raise UncertainCommit(warnings[0])


@contextmanager
def trial(engine: Engine) -> Iterator[Session]:
    """A session whose transaction is rolled back at the end of the block, whatever was done in it."""
    with Session(engine) as session:
        yield session
        session.rollback()


@contextmanager
def undone(session: Session) -> Iterator[None]:
    """Whatever is done in the block is rolled back at its end; the session's transaction goes on from before it."""
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


def in_transaction(engine: Engine, work: Callable[[Session], Done]) -> Done:
    """Do `work` in a transaction of its own, and give its result."""
    with transaction(engine) as session:
        return work(session)


def forget_warnings(session: Connected) -> list[str]:
    """The list that collects PostgreSQL's warnings on the session's connection, emptied now."""
    warnings: list[str] = session.connection().connection.info[WARNINGS]
    warnings.clear()
    return warnings


def refuse_uncertain(session: Connected) -> None:
    """For what was committed by a statement: raises UncertainCommit when PostgreSQL warned at one of them."""
    warnings = session.connection().connection.info[WARNINGS]
    if warnings:
        message = warnings[0]
        warnings.clear()
        raise UncertainCommit(message)


def _refuse_closed(connection: Any, record: Any, proxy: Any) -> None:
    """Let the pool replace a connection that PostgreSQL closed while nobody used it.

    Not asked of a connection that has just been made: the pool tries twice and no more, and what follows tells the
    truth anyway.
    """
    if not record.info.pop(FRESH, False) and is_cut(connection.pgconn):
        raise DisconnectionError("closed by the server")


def _drop_stale_plans(context: Any) -> None:
    """After a migration every connection of the pool remembers plans of before: they are all to be replaced."""
    if has_stale_plan(context.original_exception):
        context.is_disconnect = True


def _hide_values(context: Any) -> None:
    """Both errors say no more than they may: SQLAlchemy's has made its text from psycopg's by now."""
    error, raised = context.original_exception, context.sqlalchemy_exception
    if not isinstance(error, psycopg.Error) or not isinstance(raised, DBAPIError):
        return
    without_values(error)
    raised.args = (f"({type(error).__module__}.{type(error).__qualname__}) {error}",)


def _listen_for_warnings(connection: Any, record: Any) -> None:
    """Keep what PostgreSQL warns of on this connection; psycopg itself only passes it on."""
    record.info[FRESH] = True
    warnings: list[str] = []
    record.info[WARNINGS] = warnings
    connection.add_notice_handler(partial(_keep_warning, warnings))


def _keep_warning(warnings: list[str], notice: Any) -> None:
    if notice.severity_nonlocalized == "WARNING":
        warnings.append(notice.message_primary)


def _with_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in ("postgresql", "postgres") else url
