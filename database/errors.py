"""Which errors of the database are a matter of time and which are a matter of the statement."""

from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError

PASSING_CLASSES = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""SQLSTATE classes that say "later": connection, transaction state (25P03: idle too long), rollback (deadlock),
resources, lock not available, operator intervention (shutdown, timeouts), system error."""


class UncertainCommit(Exception):
    """PostgreSQL answered a commit but warned that it may not last; whether it does is not known."""


class Overtaken(Exception):
    """What a transaction had read was changed by another before it could be used; it would be right to repeat it."""


def is_passing(error: BaseException) -> bool:
    """Whether the same may well succeed later: PostgreSQL away, out of connections, a lock or a deadlock."""
    if isinstance(error, TimeoutError | OperationalError | UncertainCommit | Overtaken):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    return state[:2] in PASSING_CLASSES
