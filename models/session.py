"""Connections to PostgreSQL, and the one way to open a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from models.trouble import UncertainCommit

WARNINGS = "warnings"
"""Where a pooled connection keeps its warnings."""


def connect(url: str, *, pool_size: int = 5, application: str = "minex", **options: int | str) -> Engine:
    """An engine with a connection pool; `options` are PostgreSQL settings of each connection, times in milliseconds.

    `url` may be plain `postgresql://…`; the driver is psycopg 3 and every connection speaks UTC.
    """
    settings = {"timezone": "UTC", **options}
    engine = create_engine(
        _with_driver(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=False,
        isolation_level="READ COMMITTED",
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "application_name": application,
            "connect_timeout": 5,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
    event.listen(engine, "connect", _listen_for_warnings)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session in one transaction: committed at the end of the block, rolled back when it raises.

    Raises UncertainCommit when PostgreSQL warned at the commit: with a synchronous standby gone, a commit that is
    cancelled while it waits for it is answered as done, but may be lost with the primary.
    """
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session
        warnings = session.connection().connection.info[WARNINGS]
        warnings.clear()
    if warnings:
        raise UncertainCommit(warnings[0])


def _listen_for_warnings(connection: Any, record: Any) -> None:
    """Keep what PostgreSQL warns of on this connection; psycopg itself only passes it on."""
    warnings: list[str] = []
    record.info[WARNINGS] = warnings
    connection.add_notice_handler(partial(_keep_warning, warnings))


def _keep_warning(warnings: list[str], notice: Any) -> None:
    if notice.severity_nonlocalized == "WARNING":
        warnings.append(notice.message_primary)


def _with_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in ("postgresql", "postgres") else url
