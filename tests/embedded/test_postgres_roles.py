"""Given an embedded PostgreSQL, then each of its roles has a password of its own, and the tables are the owner's."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from alembic import command

from cli.local.prepare import bring_schema
from cli.local.schema import alembic_config, upgrade
from embedded.postgres import DATABASE, PostgresServer
from embedded.postgres_roles import OWNER, PROCESS, READER, ROLES
from embedded.servers import Servers
from settings.sections import Redis, Settings

FOREIGN = """
    SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relowner <> 'minex_owner'::regrole
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    SELECT p.proname, pg_get_userbyid(p.proowner) FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 'minex_owner'::regrole
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
POWERS = """
    SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)
        AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR NOT rolcanlogin)
"""


class EarlierServer(PostgresServer):
    """As it was when there was no role but the administrator."""

    def _after_start(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE minex")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")


@pytest.fixture
def server(make_server_folder: Callable[[], Path]) -> Iterator[PostgresServer]:
    with PostgresServer(make_server_folder() / "postgres", settings={"fsync": "off"}) as server:
        yield server


def test_the_roles_have_no_powers_and_passwords_of_their_own_that_nobody_sees(server: PostgresServer) -> None:
    passwords = {server.password}
    for role in ROLES:
        file = server.folder / f"{role.removeprefix('minex_')}-password"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        passwords.add(file.read_text().strip())
        psycopg.connect(server.url_of(DATABASE, role)).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url_of(DATABASE, role).replace(file.read_text().strip(), server.password))
    assert len(passwords) == 1 + len(ROLES)
    with psycopg.connect(server.url) as connection:
        assert connection.execute(POWERS, [list(ROLES)]).fetchall() == []
    shown = server.log_file.read_text() + " ".join(psutil.Process(server.pid).cmdline())
    assert [password for password in passwords if password in shown] == []


def test_a_role_has_the_password_of_its_file_whatever_it_was_before(server: PostgresServer) -> None:
    before = server.url_of(DATABASE, PROCESS)
    server.stop()
    (server.folder / "process-password").unlink()
    server.start()
    assert server.url_of(DATABASE, PROCESS) != before
    psycopg.connect(server.url_of(DATABASE, PROCESS)).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(before)


def test_a_folder_of_an_earlier_version_is_handed_over(make_server_folder: Callable[[], Path]) -> None:
    folder = make_server_folder()
    with EarlierServer(folder / "postgres", settings={"fsync": "off"}) as earlier:
        upgrade(earlier.url, "0007")
        with psycopg.connect(earlier.url) as connection:
            connection.execute("INSERT INTO assets (code, kind) VALUES ('KEPT', 'stock')")
    with Servers(Settings(redis=Redis(url="redis://127.0.0.1:1/0")), folder) as servers:
        database = servers.settings.database
        bring_schema(servers.settings)
        with psycopg.connect(database.owner) as owner:
            assert owner.execute(FOREIGN).fetchall() == []
            assert owner.execute("SELECT count(*) FROM pg_stat_statements").fetchone() != (0,)
        with psycopg.connect(database.url) as process:
            assert process.execute("SELECT current_user").fetchone() == (PROCESS,)
            process.execute("INSERT INTO assets (code, kind) VALUES ('NEW', 'stock')")
            assert process.execute("SELECT code FROM assets ORDER BY id").fetchall()[-2:] == [("KEPT",), ("NEW",)]
        with psycopg.connect(database.reader) as reader:
            assert reader.execute("SELECT current_user, count(*) FROM stocks").fetchone() == (READER, 0)
        command.downgrade(alembic_config(database.owner), "base")  # all of it is the owner's, for he can remove it
        bring_schema(servers.settings)
        with psycopg.connect(database.owner) as owner:
            assert owner.execute("SELECT current_user, count(*) FROM assets").fetchone() == (OWNER, 1)
