"""What the roles that own nothing may do: granted by the owner after each migration, to those whom the urls name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from cli.local.database import CONNECT_SECONDS, Found, look_at, not_owner
from cli.local.schema import MIGRATION_LOCK
from models.rights import DEBUGGING, READ, rights_of_process
from settings.sections import Settings
from settings.urls import plain

OWN_TABLES = """
    SELECT current_schema(), coalesce(array_agg(c.relname ORDER BY c.relname), '{}')
    FROM pg_class c
    WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind IN ('r', 'p')
        AND pg_has_role(c.relowner, 'USAGE')
"""


def grant(settings: Settings, owner: Found, process: Found) -> None:
    """Let the processes and the reader do what they need, and nothing else, in a database of the newest schema.

    `owner` and `process` are what was found by the owner's url and by that of the processes. What they may do to a
    sandbox they may only where `debug`. Raises CommandError where the tables are not the owner's, or the reader is not
    let in. With one role for all there is nothing to do.
    """
    database = settings.database
    reader = process.user if database.reader == database.url else look_at(database.reader).user
    if owner.user == process.user == reader:
        return
    with psycopg.connect(plain(database.owner), connect_timeout=CONNECT_SECONDS) as connection:
        row = connection.execute(OWN_TABLES).fetchone()
        place = _Place(*row) if row else _Place("", [])
        if "alembic_version" not in place.tables:
            raise not_owner(owner)
        statements: list[sql.Composable] = [sql.SQL(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")]
        if process.user != owner.user:
            statements += _for_process(place, sql.Identifier(process.user), settings.exchange.debug)
        if reader not in (owner.user, process.user):
            statements += _for_reader(place, sql.Identifier(reader))
        connection.execute(sql.SQL("; ").join(statements))


@dataclass(frozen=True)
class _Place:
    """A schema, and the tables in it that are the owner's."""

    schema: str
    tables: Sequence[str]

    def table(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.schema, name)


def _for_process(place: _Place, role: sql.Identifier, debug: bool) -> Iterator[sql.Composed]:
    """Rows of every table, also of those that are made between two migrations of ours."""
    schema = sql.Identifier(place.schema)
    yield from _afresh(place, role)
    for name in place.tables:
        yield sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights_of_process(name)), place.table(name), role)
    yield sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {} TO {}").format(schema, role)
    later = sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA {} GRANT {} TO {}")
    yield later.format(schema, sql.SQL(f"{rights_of_process('')} ON TABLES"), role)
    yield later.format(schema, sql.SQL("USAGE, SELECT ON SEQUENCES"), role)
    change = "GRANT EXECUTE ON FUNCTION {}.{} TO {}" if debug else "REVOKE ALL ON FUNCTION {}.{} FROM {}"
    for function in DEBUGGING:
        yield sql.SQL(change).format(schema, sql.SQL(function), role)


def _for_reader(place: _Place, role: sql.Identifier) -> Iterator[sql.Composed]:
    yield from _afresh(place, role)
    for name, columns in READ.items():
        some = sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, columns))) if columns else sql.SQL("")
        yield sql.SQL("GRANT SELECT{} ON {} TO {}").format(some, place.table(name), role)


def _afresh(place: _Place, role: sql.Identifier) -> Iterator[sql.Composed]:
    """The role may look into the schema, and do nothing there yet, whatever it was allowed before."""
    yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(place.schema), role)
    tables = sql.SQL(", ").join(map(place.table, place.tables))
    yield sql.SQL("REVOKE ALL ON {} FROM {}").format(tables, role)
