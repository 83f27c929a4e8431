"""What a role of a PostgreSQL that others run can do there, and whether that is more than it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import psycopg

from cli.local.connection_errors import explained
from cli.local.database import CONNECT_SECONDS
from settings.urls import plain

ASKED: Final = """
    SELECT r.rolname, r.rolsuper,
        r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls,
        EXISTS (
            SELECT FROM pg_roles s WHERE pg_has_role(s.oid, 'USAGE') AND s.rolname IN
                ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
        ),
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
        coalesce((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('orders')), false),
        coalesce(has_any_column_privilege(to_regclass('orders'), 'INSERT, UPDATE')
            OR has_table_privilege(to_regclass('orders'), 'DELETE, TRUNCATE'), false),
        coalesce(has_any_column_privilege(to_regclass('orders'), 'SELECT'), false)
    FROM pg_roles r WHERE r.rolname = current_user
"""

WRITES: Final = "writes rows"
READS: Final = "reads rows"
POWERS: Final = (
    "is a superuser",
    "makes roles or databases",
    "reaches files or programs of the server",
    "makes tables",
    "owns the tables",
    WRITES,
    READS,
)
"""In the order of `ASKED`."""

Use = Literal["process", "reader"]

NEEDED: Final[Mapping[Use, frozenset[str]]] = {
    "process": frozenset({WRITES, READS}),
    "reader": frozenset({READS}),
}


@dataclass(frozen=True)
class Powers:
    """A role, and what it can do, in words, the most dangerous first."""

    user: str
    can: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.user} {', '.join(self.can) or 'can do nothing'}"

    def beyond(self, use: Use) -> tuple[str, ...]:
        """What is not needed for this use."""
        return tuple(power for power in self.can if power not in NEEDED[use])


def powers_of(url: str) -> Powers:
    """Connect and ask. Raises CommandError where nobody answers, or nobody is let in."""
    try:
        with psycopg.connect(plain(url), connect_timeout=CONNECT_SECONDS) as connection:
            user, *answers = connection.execute(ASKED).fetchone() or ("nobody", *(False for _ in POWERS))
    except psycopg.Error as error:
        raise explained(error) or error from error
    return Powers(str(user), tuple(power for power, can in zip(POWERS, answers, strict=True) if can))
