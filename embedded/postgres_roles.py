"""Three roles of the embedded PostgreSQL beside its administrator: who owns the tables, who works, who only reads.

The administrator is a superuser, who could read files of the machine and run programs on it; so no process of the
exchange connects as he does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg

OWNER: Final = "minex_owner"
PROCESS: Final = "minex_process"
READER: Final = "minex_reader"
ROLES: Final = (OWNER, PROCESS, READER)

ORDINARY: Final = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"

ELSEWHERE: Final = "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC"
"""Left to itself PostgreSQL lets every role connect to every database."""

HAND_OVER: Final = f"""
DO $$
DECLARE statement text;
BEGIN
    FOR statement IN
        SELECT format('ALTER DATABASE %I OWNER TO {OWNER}', current_database())
        UNION ALL SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database())
        UNION ALL SELECT format('GRANT CONNECT ON DATABASE %I TO {PROCESS}, {READER}', current_database())
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO {OWNER}', CAST(c.oid AS regclass))
        FROM pg_class c
        WHERE c.relnamespace = CAST('public' AS regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            AND c.relowner <> CAST('{OWNER}' AS regrole) AND NOT EXISTS (
                SELECT FROM pg_depend d
                WHERE d.classid = CAST('pg_class' AS regclass) AND d.objid = c.oid
                    AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i')))
            )
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO {OWNER}', CAST(p.oid AS regprocedure))
        FROM pg_proc p
        WHERE p.pronamespace = CAST('public' AS regnamespace)
            AND p.proowner <> CAST('{OWNER}' AS regrole) AND NOT EXISTS (
                SELECT FROM pg_depend d
                WHERE d.classid = CAST('pg_proc' AS regclass) AND d.objid = p.oid AND d.deptype = 'e'
            )
    LOOP
        EXECUTE statement;
    END LOOP;
END $$
"""  # noqa: S608 - constants of this file
"""What extensions brought stays the administrator's, and the sequence of a column goes where its table goes.

Not REASSIGN OWNED: PostgreSQL refuses it for the role that initdb made, for which it would take all of the catalog.
"""


def make_roles(connection: psycopg.Connection[Any], passwords: Mapping[str, str]) -> None:
    """Let there be the roles with these passwords, whatever there was before; the connection is the administrator's.

    PostgreSQL gets verifiers, never a password: it repeats in its log what it could not do.
    """
    from psycopg import sql  # noqa: PLC0415 - known to whoever is connected

    rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(passwords)])
    known = {name for (name,) in rows}
    statements: list[sql.Composable] = [sql.SQL(ELSEWHERE)]
    for role, password in passwords.items():
        verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        change = sql.SQL(f"{'ALTER' if role in known else 'CREATE'} ROLE {{}} {ORDINARY} PASSWORD {{}}")
        statements.append(change.format(sql.Identifier(role), sql.Literal(verifier)))
    connection.execute(sql.SQL("; ").join(statements))


def hand_over(connection: psycopg.Connection[Any]) -> None:
    """Give the database of this connection, which is the administrator's, to the owner, with all that is in it.

    So is a database that an earlier version has filled as the administrator. Nobody else may connect to it but the
    roles, nor make temporary tables.
    """
    connection.execute(HAND_OVER)
