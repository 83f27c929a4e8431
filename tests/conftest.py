"""Real servers for the tests: one PostgreSQL and one Valkey for each pytest process, a database for each module."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg import sql
from sqlalchemy import Engine, create_engine

from database.session import PLANS, connect
from embedded.folder import servers_folder
from embedded.postgres import PostgresServer
from embedded.postgres_roles import hand_over
from embedded.valkey import ValkeyServer
from tests.roles import bring_newest, with_one_password

NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "1min",
}
"""The tests' databases live for one run: what a power loss would do to them does not matter, speed does."""

TEMPLATE = "minex_template"
"""The migrated database that the others are copied from."""


@pytest.fixture(scope="session")
def make_server_folder() -> Iterator[Callable[[], Path]]:
    """Makes folders for embedded servers that also root's unprivileged account can enter; removed at the end."""
    made: list[Path] = []

    def make() -> Path:
        base = Path(tempfile.mkdtemp(prefix="minex-test-"))
        made.append(base)
        folder = servers_folder(base)
        if folder != base.resolve():
            made.append(folder)
        return folder

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(make_server_folder: Callable[[], Path]) -> Iterator[PostgresServer]:
    """A running PostgreSQL of this pytest process alone."""
    with with_one_password(PostgresServer(make_server_folder(), settings=NOT_DURABLE)) as server:
        yield server


@pytest.fixture(scope="session")
def new_database(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """Makes a fresh, migrated, empty database (0.1 s) and returns its `postgresql://` url, the administrator's.

    Whoever looks behind the scenes may do everything; processes get theirs from it (`tests.roles`).
    """
    numbers = itertools.count(1)

    def handed_over(name: str) -> str:
        url = postgres_server.url_of(name)
        with psycopg.connect(url, autocommit=True) as connection:
            hand_over(connection)
        return url

    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:

        def make() -> str:
            number = next(numbers)
            if number == 1:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
                bring_newest(handed_over(TEMPLATE))
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [TEMPLATE]
                )
            name = f"minex_{number}"
            command = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
            connection.execute(sql.SQL(command).format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
            return handed_over(name)

        yield make


@pytest.fixture(scope="module")
def database_url(new_database: Callable[[], str], postgres_server: PostgresServer) -> Iterator[str]:
    """The `postgresql://` url of a migrated, empty database of this test module alone; dropped after it."""
    url = new_database()
    yield url
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        name = sql.Identifier(url.rsplit("/", 1)[1])
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    """Planned as in the processes: whether a statement is right under concurrency hangs on its plan, too."""
    engine = connect(database_url, pool_size=64, application="minex-test", **PLANS)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def _connections_end_with_their_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever connects to PostgreSQL within a test, its connections are closed after it, not when they are garbage.

    What fixtures of a wider scope have connected is theirs to close.
    """
    made: list[Engine] = []

    def noted(*arguments: Any, **options: Any) -> Engine:
        made.append(create_engine(*arguments, **options))
        return made[-1]

    monkeypatch.setattr("database.session.create_engine", noted)
    yield
    for engine in made:
        engine.dispose()


@pytest.fixture(scope="session")
def valkey_server(make_server_folder: Callable[[], Path]) -> Iterator[ValkeyServer]:
    """A running Valkey of this pytest process alone."""
    with ValkeyServer(make_server_folder()) as server:
        yield server


@pytest.fixture(scope="module")
def redis_url(valkey_server: ValkeyServer) -> str:
    """The `redis://` url of a Valkey that is empty when the test module begins."""
    with redis.Redis.from_url(valkey_server.url) as client:
        client.flushall()
    return valkey_server.url


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> Iterator[None]:
    """The tests see no MINEX_* variable of whoever runs them."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("MINEX_")}
    yield
    os.environ.update(kept)
