"""A role that one process holds at a time."""

from sqlalchemy import text

from database.statements import Statements

TAKE = text("""
    INSERT INTO leases AS l (name, holder, expires_at)
    VALUES (:name, :holder, clock_timestamp() + :seconds * interval '1 second')
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp()
    RETURNING holder
""")

CLOCK_LEASE = "clock"
"""The role of the one clock that works."""

REPORTER_LEASE = "reporter"
"""The role of the one reporter that works."""

LATE_SECONDS = 3
"""A lease that has run out may be taken by another process; after so long nobody has."""

HELD = text("""
    SELECT EXISTS (
        SELECT 1 FROM leases WHERE name = :name AND expires_at > clock_timestamp() - :late * interval '1 second'
    )
""")

MISSED = text("""
    SELECT EXISTS (
        SELECT 1 FROM leases WHERE name = :name AND expires_at <= clock_timestamp() - :late * interval '1 second'
    )
""")

RELEASE = text("UPDATE leases SET expires_at = 'epoch' WHERE name = :name AND holder = :holder")


def take_lease(session: Statements, name: str, holder: str, seconds: int) -> bool:
    """True if `holder` now has the role `name` for the next `seconds`, by the database's clock."""
    return session.execute(TAKE, {"name": name, "holder": holder, "seconds": seconds}).one_or_none() is not None


def is_held(session: Statements, name: str) -> bool:
    """True if a process has the role `name`, or had it a moment ago."""
    return bool(session.scalar(HELD, {"name": name, "late": LATE_SECONDS}))


def is_missed(session: Statements, name: str) -> bool:
    """True if a process has had the role `name` one day, and none has it now."""
    return bool(session.scalar(MISSED, {"name": name, "late": LATE_SECONDS}))


def release_lease(session: Statements, name: str, holder: str) -> None:
    """Give the role up, so that another process need not wait for it to run out."""
    session.execute(RELEASE, {"name": name, "holder": holder})
