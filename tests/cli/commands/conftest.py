"""Commands on a PostgreSQL and a Redis that others run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from embedded.postgres import PostgresServer
from embedded.valkey import ValkeyServer
from tests.cli.commands.test_commands import minex


@pytest.fixture
def run(tmp_path: Path, valkey_server: ValkeyServer) -> Callable[..., tuple[int, str]]:
    """Runs a command on servers that others run; its exit code, and what it shows without what doctor finds well."""

    def call(*arguments: str, database: str, redis: str = valkey_server.url, **more: str) -> tuple[int, str]:
        known = {"MINEX_DATABASE_URL": database, "MINEX_REDIS_URL": redis, "MINEX_DATA_FOLDER": str(tmp_path)}
        done = minex(*arguments, **known, **more)
        assert "Traceback" not in done.stdout + done.stderr
        shown = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("✓")]
        return done.returncode, "\n".join(shown)

    return call


@pytest.fixture(scope="module")
def make_database(postgres_server: PostgresServer) -> Iterator[Callable[[str], str]]:
    """Runs the statements as the server's administrator, each a transaction of its own; `{}` is a new database."""
    made: list[str] = []
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:

        def make(statement: str) -> str:
            name = f"own_{len(made)}"
            made.append(name)
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
            return postgres_server.url_of(name)

        yield make
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
