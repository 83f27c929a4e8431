"""Given a PostgreSQL or Redis of one's own that cannot serve, then each command says so in one line, and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from cli.exits import FAILED, NOT_RUNNING, USAGE
from embedded.postgres import PostgresServer
from embedded.valkey import ValkeyServer
from tests.cli.commands.test_commands import minex

COMMANDS = (("doctor",), ("up", "--port", "0"), ("up", "--port", "0", "--detach"), ("migrate",), ("run", "match"))
"""Beside `verify`, whose address is an option, too."""


def assert_told(found: tuple[int, str], code: int, *words: str) -> None:
    assert found[0] == code, found
    assert all(word in found[1] for word in words), found
    assert len(found[1].splitlines()) <= 6, found


@pytest.mark.parametrize("arguments", [*COMMANDS, ("verify",), ("run", "web"), ("run", "clock")], ids=" ".join)
def test_a_wrong_password(run: Callable[..., tuple[int, str]], postgres_server: PostgresServer, arguments: str) -> None:
    url = postgres_server.url.replace(postgres_server.password, "guess")
    found = run(*arguments, database=url)
    assert_told(found, FAILED, "lets nobody in", "password authentication failed", "MINEX_DATABASE_PASSWORD")
    assert "guess" not in found[1]


@pytest.mark.parametrize("arguments", [*COMMANDS, ("verify",), ("status",)], ids=" ".join)
def test_a_database_of_another_make(run: Callable[..., tuple[int, str]], arguments: str) -> None:
    found = run(*arguments, database="mysql://minex:secret@127.0.0.1/minex")
    assert_told(found, USAGE, "MINEX_DATABASE_URL: expected postgresql://")
    assert "secret" not in found[1]


@pytest.mark.parametrize("arguments", [*COMMANDS, ("verify",)], ids=" ".join)
def test_a_database_without_an_encoding(
    run: Callable[..., tuple[int, str]], make_database: Callable[[str], str], arguments: str
) -> None:
    url = make_database("CREATE DATABASE {} ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
    assert_told(run(*arguments, database=url), FAILED, "encoding SQL_ASCII; UTF8 is needed", "createdb --encoding=UTF8")


@pytest.mark.parametrize("arguments", [("verify",), ("run", "match"), ("run", "web"), ("run", "clock")], ids=" ".join)
def test_a_database_without_an_exchange(
    run: Callable[..., tuple[int, str]], make_database: Callable[[str], str], arguments: str
) -> None:
    url = make_database("CREATE DATABASE {}")
    assert_told(run(*arguments, database=url), FAILED, "no exchange in it", "minex migrate")


def test_a_user_who_may_make_no_tables(
    run: Callable[..., tuple[int, str]], make_database: Callable[[str], str], postgres_server: PostgresServer
) -> None:
    url = make_database("CREATE DATABASE {}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS poor")
        connection.execute("CREATE ROLE poor LOGIN PASSWORD 'poor'")
    poor = url.replace(f"minex:{postgres_server.password}", "poor:poor")
    for arguments in (("doctor",), ("migrate",), ("up", "--port", "0")):
        assert_told(run(*arguments, database=poor), FAILED, "poor may not make tables", "GRANT CREATE ON SCHEMA public")


def test_a_database_of_a_newer_version(run: Callable[..., tuple[int, str]], new_database: Callable[[], str]) -> None:
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for arguments in (("migrate",), ("verify",), ("run", "clock")):
        assert_told(run(*arguments, database=url), FAILED, "made by a newer Minex")


@pytest.mark.parametrize("arguments", [("doctor",), ("up", "--port", "0"), ("migrate",), ("verify",)], ids=" ".join)
def test_nobody_answers(run: Callable[..., tuple[int, str]], arguments: str) -> None:
    code = FAILED if arguments == ("doctor",) else NOT_RUNNING
    assert_told(run(*arguments, database="postgresql://minex:secret@127.0.0.1:1/minex"), code, "does not answer")


@pytest.mark.parametrize("arguments", [("doctor",), ("up", "--port", "0"), ("run", "clock")], ids=" ".join)
def test_a_wrong_password_of_redis(
    run: Callable[..., tuple[int, str]], database_url: str, valkey_server: ValkeyServer, arguments: str
) -> None:
    redis = valkey_server.url.replace(valkey_server.password_of("operator"), "guess")
    found = run(*arguments, database=database_url, redis=redis)
    assert_told(found, FAILED, "Redis lets nobody in", "redis" if arguments == ("doctor",) else "MINEX_REDIS_PASSWORD")
    assert "guess" not in found[1]


@pytest.fixture(scope="module")
def small_server(make_server_folder: Callable[[], Path]) -> Iterator[PostgresServer]:
    """It allows 28 connections to ordinary users."""
    with PostgresServer(make_server_folder() / "small", settings={"max_connections": "31", "fsync": "off"}) as server:
        yield server


@pytest.mark.parametrize("processes", [1, 4, 32])
@pytest.mark.parametrize("arguments", [("doctor",), ("up", "--port", "0"), ("up", "--port", "0", "-d")], ids=" ".join)
def test_pools_that_need_more_connections_than_there_are(
    run: Callable[..., tuple[int, str]],
    small_server: PostgresServer,
    arguments: str,
    processes: int,
) -> None:
    found = run(*arguments, database=small_server.url, MINEX_WEB_PROCESSES=str(processes))
    needed = processes * (2 * 16 + 4) + (16 + 2) + 1 + 3 + 4 + 10
    words = ("allows 28 connections", f"may need {needed}", f"web {processes} × (2 × 16 + 4)", "live 16 + 2", "match 1")
    assert_told(found, FAILED, *words)
    with psycopg.connect(small_server.url) as connection:
        assert connection.execute("SELECT to_regclass('orders')").fetchone() == (None,)


def test_the_pool_size_that_is_advised_fits(run: Callable[..., tuple[int, str]], small_server: PostgresServer) -> None:
    def told(**more: str) -> str:
        return run("doctor", database=small_server.url, MINEX_WEB_PROCESSES="1", **more)[1]

    advised = re.search(r"MINEX_DATABASE_POOL_SIZE=(\d+)", told())
    assert advised
    assert "at once" not in told(MINEX_DATABASE_POOL_SIZE=advised[1])
    assert "allows 28 connections at once" in told(MINEX_DATABASE_POOL_SIZE=str(int(advised[1]) + 1))


@pytest.mark.parametrize("limited", ["ALTER DATABASE minex CONNECTION LIMIT 12", "ALTER ROLE few CONNECTION LIMIT 12"])
def test_the_limits_of_the_database_and_of_the_user_count(
    run: Callable[..., tuple[int, str]], small_server: PostgresServer, limited: str
) -> None:
    with psycopg.connect(small_server.url_of("postgres"), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS few")
        connection.execute("CREATE ROLE few LOGIN PASSWORD 'few' SUPERUSER")
        connection.execute(limited)  # type: ignore[arg-type]
        try:
            few = small_server.url.replace(f"minex:{small_server.password}", "few:few")
            assert "allows 12 connections" in run("doctor", database=few)[1]
        finally:
            connection.execute("ALTER DATABASE minex CONNECTION LIMIT -1")


def test_doctor_is_content_with_a_database_that_can_serve(
    make_database: Callable[[str], str], valkey_server: ValkeyServer, database_url: str, tmp_path: Path
) -> None:
    for url, state in ((make_database("CREATE DATABASE {}"), "no exchange in it yet"), (database_url, "127.0.0.1")):
        known = {"MINEX_DATABASE_URL": url, "MINEX_REDIS_URL": valkey_server.url, "MINEX_DATA_FOLDER": str(tmp_path)}
        findings = {one["subject"]: one for one in json.loads(minex("doctor", "--json", **known).stdout)}
        assert findings["PostgreSQL"]["is_well"], findings
        assert state in findings["PostgreSQL"]["found"]
        assert findings["Redis"]["is_well"]
