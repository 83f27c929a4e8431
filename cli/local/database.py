"""A PostgreSQL that others run: what is found there, and whether an exchange can live on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psycopg

from cli.exits import NOT_RUNNING
from cli.local.connection_errors import explained, newer, unmigrated
from cli.local.schema import known_revisions, newest_revision
from cli.terminal import CommandError
from settings.connections import Connections
from settings.urls import plain

OLDEST = 14
CONNECT_SECONDS = 5
RESERVED = 3
"""Connections that `max_connections` keeps for superusers unless it is told otherwise."""

LOOK = """
    SELECT current_user, current_database(), pg_is_in_recovery(),
        (SELECT pg_get_userbyid(relowner) FROM pg_class
            WHERE oid = to_regclass('alembic_version') AND NOT pg_has_role(relowner, 'USAGE')),
        coalesce(has_table_privilege(to_regclass('alembic_version'), 'SELECT'), false),
        current_schema() IS NOT NULL AND has_schema_privilege(current_schema(), 'CREATE'), LEAST(
            CAST(current_setting('max_connections') AS int)
                - CAST(current_setting('superuser_reserved_connections') AS int)
                - CAST(coalesce(current_setting('reserved_connections', true), '0') AS int),
            (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
            (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
        )
"""


@dataclass(frozen=True)
class Found:
    """What a PostgreSQL says of itself and of one database."""

    version: int
    """The major one."""
    host: str
    name: str
    user: str
    encoding: str
    is_standby: bool
    foreign_owner: str | None
    """Somebody else, whose the tables are; None where they are the user's, or there are none."""
    may_read: bool
    """Whether the user may read where the schema stands."""
    may_create: bool
    """Whether the user may make tables."""
    connections: int
    """Most at once: what `max_connections` leaves to ordinary users, or the limit of the database or of the user."""
    revision: str | None
    """Where the schema stands; None for a database that has none of ours, or none that the user may read."""

    @property
    def is_newest(self) -> bool:
        """True if the schema is that of the code."""
        return self.revision == newest_revision()


def look_at(url: str) -> Found:
    """Connect and look. Raises CommandError where nobody answers, or nobody is let in."""
    try:
        with psycopg.connect(plain(url), connect_timeout=CONNECT_SECONDS) as connection:
            encoding = connection.info.parameter_status("server_encoding") or "unknown"
            row = connection.execute(LOOK).fetchone() or ()
            user, name, is_standby, owner, may_read, may_create, connections = (_text(value) for value in row)
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone() if may_read else None
            return Found(
                version=connection.info.server_version // 10_000,
                host=connection.info.host,
                name=str(name),
                user=str(user),
                encoding=encoding,
                is_standby=bool(is_standby),
                foreign_owner=None if owner is None else str(owner),
                may_read=bool(may_read),
                may_create=bool(may_create),
                connections=int(str(connections)),
                revision=str(_text(version[0])) if version else None,
            )
    except psycopg.Error as error:
        raise explained(error) or error from error


Use = Literal["read", "run", "migrate"]


def must_serve(url: str, use: Use) -> Found:
    """The database at `url`, if it is fit for `use`. Raises CommandError if not.

    To be read or run on it must have an exchange in it.
    """
    found = look_at(url)
    for wrong in (_unsuitable(found), _unready(found, use)):
        if wrong is not None:
            raise wrong
    return found


def must_fit(found: Found, wanted: Connections) -> None:
    """Raises CommandError, with the numbers, where the pools of all processes may need more than PostgreSQL allows."""
    if wanted.total <= found.connections:
        return
    fitting = wanted.fitting_pool_size(found.connections)
    smaller = f"MINEX_DATABASE_POOL_SIZE={fitting} ./minex up" if fitting else "MINEX_WEB_PROCESSES=1 ./minex up"
    raise CommandError(
        f"PostgreSQL allows {found.connections} connections at once, the exchange may need {wanted.total} ({wanted}).",
        smaller,
        f"ALTER SYSTEM SET max_connections = {wanted.total + RESERVED}, and start PostgreSQL again",
    )


def wait_or_refuse(url: str, wanted: Connections, tell: Callable[[str], None]) -> None:
    """For a process that waits for its database by itself: only what waiting does not mend raises CommandError.

    What the others are is not known to it, so connections that do not fit are only told.
    """
    try:
        found = must_serve(url, "run")
    except CommandError as error:
        if error.code != NOT_RUNNING:
            raise
        tell(f"{error.message}; waiting for it")
        return
    try:
        must_fit(found, wanted)
    except CommandError as error:
        tell(error.message)


def _unsuitable(found: Found) -> CommandError | None:
    if found.version < OLDEST:
        return CommandError(f"PostgreSQL {found.version} is too old; {OLDEST} or later is needed.", "minex doctor")
    if found.encoding != "UTF8":
        return CommandError(
            f"The database {found.name} has the encoding {found.encoding}; UTF8 is needed.",
            "createdb --encoding=UTF8 --template=template0 NAME",
        )
    return None


def _unready(found: Found, use: Use) -> CommandError | None:
    if found.revision is not None and found.revision not in known_revisions():
        return newer()
    if use != "read" and found.is_standby:
        return CommandError("This PostgreSQL is a standby, which can only be read.", "minex doctor")
    return _unfit_to_migrate(found) if use == "migrate" else _unfit_to_use(found)


def _unfit_to_migrate(found: Found) -> CommandError | None:
    if found.is_newest:
        return None
    if found.foreign_owner is not None:
        return not_owner(found)
    if not found.may_create:
        return CommandError(
            f"The user {found.user} may not make tables in the database {found.name}.",
            f"psql --dbname={found.name} --command='GRANT CREATE ON SCHEMA public TO \"{found.user}\"'",
        )
    return None


def _unfit_to_use(found: Found) -> CommandError | None:
    if found.foreign_owner is not None and not found.may_read:
        what = f"The user {found.user} may not read the tables in the database {found.name}."
        return CommandError(what, "MINEX_DATABASE_OWNER_URL=… minex migrate")
    return None if found.is_newest else unmigrated()


def not_owner(found: Found) -> CommandError:
    """The tables are somebody else's: only their owner may change them, or say what others may do with them."""
    return CommandError(
        f"The tables in the database {found.name} are those of {found.foreign_owner}, not of {found.user}.",
        "MINEX_DATABASE_OWNER_URL=… minex migrate",
        f'psql --dbname={found.name} --command=\'REASSIGN OWNED BY "{found.foreign_owner}" TO "{found.user}"\'',
    )


def _text(value: object) -> object:
    """A database without an encoding gives its words as bytes."""
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value
