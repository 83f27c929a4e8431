"""Given a PostgreSQL of one's own with three roles, then migrate lets them in, and doctor says what they can do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from cli.exits import FAILED
from embedded.postgres_roles import OWNER
from embedded.valkey import ValkeyServer
from tests.cli.commands.test_commands import minex
from tests.cli.commands.test_own_servers import assert_told
from tests.roles import as_role, three_roles


def told_by_doctor(valkey_server: ValkeyServer, folder: Path, **known: str) -> dict[str, Any]:
    """The findings of `minex doctor` about PostgreSQL, by their subjects."""
    servers = {"MINEX_REDIS_URL": valkey_server.url, "MINEX_DATA_FOLDER": str(folder)}
    findings = {one["subject"]: one for one in json.loads(minex("doctor", "--json", **servers, **known).stdout)}
    return {subject: one for subject, one in findings.items() if subject.startswith("PostgreSQL")}


def variables(urls: dict[str, str]) -> dict[str, str]:
    return {f"MINEX_DATABASE_{key.upper()}": url for key, url in urls.items()}


def test_doctor_says_what_the_one_role_can_do(valkey_server: ValkeyServer, database_url: str, tmp_path: Path) -> None:
    superuser = told_by_doctor(valkey_server, tmp_path, MINEX_DATABASE_URL=database_url)["PostgreSQL role"]
    assert superuser["is_well"]
    assert superuser["found"].startswith("minex is a superuser, makes roles or databases, reaches files or programs")
    assert superuser["found"].endswith("writes rows, reads rows; every process can do that")
    owner = told_by_doctor(valkey_server, tmp_path, MINEX_DATABASE_URL=as_role(database_url, OWNER))["PostgreSQL role"]
    assert owner["found"] == (
        "minex_owner makes tables, owns the tables, writes rows, reads rows; every process can do that"
    )


def test_doctor_says_which_role_can_do_more_than_it_needs(
    valkey_server: ValkeyServer, database_url: str, tmp_path: Path
) -> None:
    roles = three_roles(database_url)
    found = told_by_doctor(valkey_server, tmp_path, **variables(roles))
    assert all(one["is_well"] for one in found.values()), found
    assert found["PostgreSQL owner"]["found"] == "minex_owner makes tables, owns the tables, writes rows, reads rows"
    assert found["PostgreSQL processes"]["found"] == "minex_process writes rows, reads rows"
    assert found["PostgreSQL reader"]["found"] == "minex_reader reads rows"
    for key, subject, more in (("url", "processes", "is a superuser"), ("reader_url", "reader", "writes rows")):
        wrong = database_url if key == "url" else f"{roles['url']}?application_name=other"
        told = told_by_doctor(valkey_server, tmp_path, **variables({**roles, key: wrong}))[f"PostgreSQL {subject}"]
        assert not told["is_well"]
        assert more in told["mend"]


def test_the_roles_of_three_urls_are_let_in_by_migrate(
    run: Callable[..., tuple[int, str]], make_database: Callable[[str], str], valkey_server: ValkeyServer
) -> None:
    """Roles as an operator makes them, of whatever names: nobody but the owner may do anything before."""
    url = make_database("CREATE DATABASE {}")
    names = {"owner_url": "book keeper", "url": "clerk's", "reader_url": "reader"}
    with psycopg.connect(url, autocommit=True) as administrator:
        for name in names.values():
            administrator.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
            administrator.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'p@ss'").format(sql.Identifier(name)))
        database = sql.Identifier(url.rsplit("/", 1)[1])
        administrator.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier("book keeper")))
    place = url.partition("@")[2]
    known = variables({key: f"postgresql://{quote(name)}@{place}" for key, name in names.items()})
    known |= {f"{name[:-3]}PASSWORD": "p@ss" for name in known}
    database_url = known.pop("MINEX_DATABASE_URL")
    assert_told(run("run", "match", database=database_url, **known), FAILED, "no exchange in it", "minex migrate")
    code, said = run("migrate", "--demo", database=database_url, **known)
    assert code == 0, said
    assert "p@ss" not in said
    assert run("migrate", "--demo", database=database_url, **known)[0] == 0
    assert run("verify", database=database_url, **known)[0] == 0
    with psycopg.connect(f"postgresql://reader:p%40ss@{place}") as reader:
        assert reader.execute("SELECT count(*) > 0 FROM stocks").fetchone() == (True,)
    stranger = {**known, "MINEX_DATABASE_OWNER_URL": database_url}
    assert_told(run("migrate", database=url, **stranger), FAILED, "are those of book keeper, not of clerk's")
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute(sql.SQL("REVOKE ALL ON alembic_version FROM {}").format(sql.Identifier("clerk's")))
    assert_told(run("verify", database=database_url, **known), FAILED, "clerk's may not read the tables", "migrate")
