"""What a connection to PostgreSQL or Redis raises, in one line with the next command; for every command alike."""

from __future__ import annotations

from cli.exits import NOT_RUNNING
from cli.terminal import CommandError

NO_TABLE = ("42P01", "42703", "3F000")
"""SQLSTATE: undefined table, column, schema."""
REFUSED = {
    "password": ("lets nobody in with this user and password", "MINEX_DATABASE_PASSWORD=… minex doctor"),
    "pg_hba.conf": ("lets nobody in from here; see its pg_hba.conf", "minex doctor"),
    "does not exist": ("has no such database or user", "createdb --encoding=UTF8 --template=template0 NAME"),
    "permission denied": ("does not let this user do it", "minex doctor"),
}
"""Words of a refusal: what they mean, and what helps. libpq gives no code where no connection came about."""

REFUSED_BY_REDIS = ("AuthenticationError", "AuthorizationError", "NoPermissionError", "ResponseError")


def explained(error: BaseException) -> CommandError | None:
    """The error to show for one of a connection; None for any other error, a mistake of ours included."""
    library = type(error).__module__.partition(".")[0]
    if library == "sqlalchemy":
        return _of_sqlalchemy(error)
    if library == "psycopg":
        return _of_postgresql(error)
    if library == "redis":
        return _of_redis(error)
    if library == "alembic" and "locate revision" in str(error):
        return newer()
    return None


def newer() -> CommandError:
    """The database is ahead of the code."""
    return CommandError("The database was made by a newer Minex than this one.", "git pull")


def unmigrated() -> CommandError:
    """The tables are missing, or older than the code."""
    return CommandError("This database has no exchange in it, or that of an older Minex.", "minex migrate")


def _of_sqlalchemy(error: BaseException) -> CommandError | None:
    cause = getattr(error, "orig", None)
    if isinstance(cause, BaseException):
        return explained(cause)
    if type(error).__name__ == "TimeoutError":
        return CommandError(f"PostgreSQL has no connection free: {_line(error)}", "minex doctor")
    return None


def _of_postgresql(error: BaseException) -> CommandError | None:
    state = getattr(error, "sqlstate", None) or ""
    if state in NO_TABLE:
        return unmigrated()
    if state and not state.startswith(("08", "28", "3D", "42501", "53", "57")):
        return None
    reason = _line(error)
    if type(error).__name__ == "ProgrammingError" and "conninfo" not in reason and not state:
        return None
    for words, (meaning, mend) in REFUSED.items():
        if words in reason:
            return CommandError(f"PostgreSQL {meaning}: {reason}", mend)
    return CommandError(f"PostgreSQL does not answer: {reason}", "minex doctor", exit_code=NOT_RUNNING)


def _of_redis(error: BaseException) -> CommandError:
    reason = _line(error)
    if type(error).__name__ in REFUSED_BY_REDIS:
        return CommandError(f"Redis lets nobody in: {reason}", "MINEX_REDIS_PASSWORD=… minex doctor")
    return CommandError(f"Redis does not answer: {reason}", "minex doctor", exit_code=NOT_RUNNING)


def _line(error: BaseException) -> str:
    """The first line of the error, without what every one of them begins with."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].removeprefix("connection failed: ").strip()
