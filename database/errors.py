"""Which errors of the database are a matter of time and which are a matter of the statement."""

from typing import TypeVar

import psycopg
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError

DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]

PASSING_CLASSES = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""SQLSTATE classes that say "later": connection, transaction state (25P03: idle too long), rollback (deadlock),
resources, lock not available, operator intervention (shutdown, timeouts), system error."""

NOT_ALLOWED = "42501"
"""SQLSTATE: the role has no right to do it."""

STALE_PLAN_STATES = frozenset({"26000", "0A000"})
"""A prepared statement that the server knows no more, or whose table a migration has changed."""

STALE_PLAN = "cached plan must not change result type"
"""What tells the second from everything else that PostgreSQL does not support."""


class UncertainCommit(Exception):
    """PostgreSQL answered a commit but warned that it may not last; whether it does is not known."""


class ConnectionLost(psycopg.OperationalError):
    """The connection broke before the answer was here. Whether what was asked for has been done is not known."""


def is_passing(error: BaseException) -> bool:
    """True if the same may well succeed later: PostgreSQL away, out of connections, a lock or a deadlock."""
    if isinstance(error, TimeoutError | OperationalError | InterfaceError | UncertainCommit):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or sqlstate(error)[:2] in PASSING_CLASSES or has_stale_plan(error.orig)


def sqlstate(error: DBAPIError) -> str:
    """PostgreSQL's code of what went wrong; empty where it said nothing."""
    return getattr(error.orig, "sqlstate", None) or ""


def broken_constraint(error: DBAPIError) -> str:
    """The name of the constraint that the statement would have broken; empty where it was something else."""
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""


def has_stale_plan(error: BaseException | None) -> bool:
    """True if the connection remembers a statement that the database has forgotten; it did nothing, a new one may."""
    state = getattr(error, "sqlstate", None)
    return state in STALE_PLAN_STATES and (state == "26000" or STALE_PLAN in str(error))


Error = TypeVar("Error", bound=BaseException)


def without_values(error: Error) -> Error:
    """The same error, its text only what PostgreSQL says first: DETAIL has rows and keys, which are for no log."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        error.args = (error.diag.message_primary,)
    return error


def as_sqlalchemy(error: psycopg.Error, statement: str | None, *, lost: bool) -> DBAPIError:
    """What SQLAlchemy raises for an error of psycopg's; `lost`: the connection is, and perhaps what was under way."""
    raised: DBAPIError = DBAPIError.instance(  # type: ignore[assignment] # of any other error it would be that itself
        statement, None, without_values(error), psycopg.Error, connection_invalidated=lost, dialect=DIALECT
    )
    return raised
