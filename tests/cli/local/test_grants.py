"""Given the roles of production, then each does what it is for, and PostgreSQL refuses it everything else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from cli.local.prepare import bring_schema
from cli.terminal import CommandError
from database.autocommit import autocommitting
from embedded.postgres import PostgresServer
from embedded.postgres_roles import OWNER, PROCESS, READER
from live.database import open_reader
from models import Base
from models.rights import APPENDED, READ
from services.identity.admin_key import is_admin_key
from services.identity.api_keys import holders_of
from services.market_data.book import read_books, read_tapes
from settings.sections import Settings
from tests.roles import as_role, with_roles

DEFINITIONS = (
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION hstore",
    "CREATE ROLE mine",
    "CREATE DATABASE mine",
    "ALTER TABLE orders ADD COLUMN mine int",
    "ALTER TABLE orders DISABLE TRIGGER ALL",
    "ALTER TABLE orders OWNER TO minex_process",
    "ALTER ROLE minex_process SUPERUSER",
    "ALTER SYSTEM SET fsync = off",
    "DROP TABLE orders",
    "DROP INDEX ix_account_events_order_id_sequence_fills",
    "DROP FUNCTION reset_exchange()",
    "TRUNCATE orders CASCADE",
    "SET session_replication_role = replica",
    "SET ROLE minex_owner",
)
OUTSIDE = (
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT rolpassword FROM pg_authid",
    "COPY brokers TO PROGRAM 'cat'",
    "COPY brokers FROM PROGRAM 'echo'",
    "COPY brokers TO '/tmp/brokers'",
)
HIDDEN = (
    "SELECT secret FROM webhooks",
    "SELECT url FROM webhooks",
    "SELECT document_number FROM orders",
    "SELECT fingerprint FROM orders",
    "SELECT buyer_id FROM trades",
    "SELECT * FROM brokers",
    "SELECT * FROM balances",
    "SELECT * FROM transfers",
    "SELECT nextval('orders_id_seq')",
    "SELECT id FROM stocks FOR UPDATE",
)


def refused(url: str, statement: str) -> None:
    """PostgreSQL does not let this role do it, whatever else would be wrong with it."""
    with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize("role", [PROCESS, READER])
@pytest.mark.parametrize("statement", [*DEFINITIONS, *OUTSIDE])
def test_neither_defines_anything_nor_leaves_the_database(database_url: str, role: str, statement: str) -> None:
    refused(as_role(database_url, role), statement)


@pytest.mark.parametrize("table", sorted(Base.metadata.tables))
def test_the_reader_writes_nothing(database_url: str, table: str) -> None:
    column = next(iter(Base.metadata.tables[table].columns)).name
    for statement in ("INSERT INTO {} DEFAULT VALUES", f"UPDATE {{}} SET {column} = {column}", "DELETE FROM {}"):
        refused(as_role(database_url, READER), statement.format(table))


@pytest.mark.parametrize("statement", HIDDEN)
def test_the_reader_sees_nothing_but_what_live_reads(database_url: str, statement: str) -> None:
    refused(as_role(database_url, READER), statement)


def test_what_live_reads_is_enough(database_url: str) -> None:
    engine = open_reader(with_roles(Settings(), database_url), connections=1)
    with autocommitting(engine) as session:
        assert read_books(session, ["NONE"], {"NONE": {}}) == read_tapes(session, ["NONE"]) == {}
        assert holders_of(session, [b"none"]) == {}
        assert not is_admin_key(session, "none")


@pytest.mark.parametrize("table", [*APPENDED, "alembic_version"])
def test_what_is_written_stays_as_it_was_written(database_url: str, table: str) -> None:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attnum = 1 AND attrelid = %s::regclass", [table]
        )
        (column,) = row.fetchone() or ("",)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
        refused(as_role(database_url, PROCESS), statement)


def test_no_role_reads_another_database(postgres_server: PostgresServer) -> None:
    for role in (OWNER, PROCESS, READER):
        for database in ("postgres", "template1"):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(postgres_server.url_of(database, role))


def test_a_table_that_comes_between_two_migrations_is_the_processes_too(database_url: str) -> None:
    with psycopg.connect(as_role(database_url, OWNER)) as connection:
        connection.execute("CREATE TABLE later (id bigserial, word text)")
    with psycopg.connect(as_role(database_url, PROCESS)) as connection:
        connection.execute("INSERT INTO later (word) VALUES ('here')")
        connection.execute("UPDATE later SET word = 'there'")
        assert connection.execute("DELETE FROM later RETURNING id, word").fetchall() == [(1, "there")]
    refused(as_role(database_url, READER), "SELECT * FROM later")


def test_what_was_allowed_before_is_not_any_more(database_url: str) -> None:
    with psycopg.connect(as_role(database_url, OWNER)) as connection:
        connection.execute("GRANT ALL ON trades, alembic_version TO minex_process")
        connection.execute("GRANT SELECT (document_number) ON orders TO minex_reader")
    bring_schema(with_roles(Settings(), database_url))
    refused(as_role(database_url, PROCESS), "TRUNCATE trades")
    refused(as_role(database_url, READER), "SELECT document_number FROM orders")


@pytest.mark.parametrize("debug", [True, False])
def test_a_reset_is_for_sandboxes(database_url: str, debug: bool) -> None:
    settings = Settings()
    bring_schema(with_roles(replace(settings, exchange=replace(settings.exchange, debug=debug)), database_url))
    reset = "SELECT reset_exchange()"
    refused(as_role(database_url, READER), reset)
    if debug:
        with psycopg.connect(as_role(database_url, PROCESS)) as connection:
            connection.execute(reset)
    else:
        refused(as_role(database_url, PROCESS), reset)


def test_a_reset_does_not_take_a_callers_table_for_ours(database_url: str) -> None:
    """With the owner's rights it would do whatever a caller has made of the names that it uses."""
    with psycopg.connect(database_url, autocommit=True) as administrator:
        name = sql.Identifier(database_url.rsplit("/", 1)[1])
        administrator.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO minex_process").format(name))
        bring_schema(with_roles(replace(Settings(), exchange=replace(Settings().exchange, debug=True)), database_url))
        with psycopg.connect(as_role(database_url, PROCESS)) as connection:
            connection.execute("CREATE TEMPORARY TABLE stocks (id int)")
            connection.execute("SET LOCAL search_path = pg_temp, public")
            connection.execute("SELECT reset_exchange()")
        administrator.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM minex_process").format(name))


def test_who_does_not_own_the_tables_cannot_say_who_may_what(new_database: Callable[[], str]) -> None:
    url = new_database()
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute("DROP ROLE IF EXISTS stranger")
        administrator.execute("CREATE ROLE stranger LOGIN PASSWORD 'strange'")
        name = sql.Identifier(url.rsplit("/", 1)[1])
        administrator.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO stranger").format(name))
    settings = with_roles(Settings(), url)
    strange = re.sub(r"//\w+:[^@]*@", "//stranger:strange@", url)
    other = replace(settings, database=replace(settings.database, owner_url=strange))
    with pytest.raises(CommandError, match=r"are those of minex_owner, not of stranger"):
        bring_schema(other)


def test_every_table_that_rights_name_is_there() -> None:
    assert {*APPENDED, *READ} <= {*Base.metadata.tables, "alembic_version"}
    for table, columns in READ.items():
        assert {*columns} <= set(Base.metadata.tables[table].columns.keys()) if columns else True
