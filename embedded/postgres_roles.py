"""Three roles of the embedded PostgreSQL beside its administrator: who owns the tables, who works, who only reads.

The administrator is a superuser, who could read files of the machine and run programs on it; so no process of the
exchange connects as he does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg

OWNER: Final = "minex_owner"
PROCESS: Final = "minex_process"
READER: Final = "minex_reader"
ROLES: Final = (OWNER, PROCESS, READER)

ORDINARY: Final = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"

HAND_OVER: Final = Path(__file__).with_name("hand_over.sql")
"""For servers that others run, too (`docker-compose.yml`); hence the names of the roles stand there once more."""


def make_roles(connection: psycopg.Connection[Any], passwords: Mapping[str, str]) -> None:
    """Let there be the roles with these passwords, whatever there was before; the connection is the administrator's.

    PostgreSQL gets verifiers, never a password: it repeats in its log what it could not do.
    """
    from psycopg import sql  # noqa: PLC0415 - known to whoever is connected

    rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(passwords)])
    known = {name for (name,) in rows}
    statements: list[sql.Composable] = []
    for role, password in passwords.items():
        verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        change = sql.SQL(f"{'ALTER' if role in known else 'CREATE'} ROLE {{}} {ORDINARY} PASSWORD {{}}")
        statements.append(change.format(sql.Identifier(role), sql.Literal(verifier)))
    connection.execute(sql.SQL("; ").join(statements))


def hand_over(connection: psycopg.Connection[Any]) -> None:
    """Give the database of this connection, which is the administrator's, to the owner, with all that is in it."""
    connection.execute(HAND_OVER.read_text(encoding="utf-8"))
