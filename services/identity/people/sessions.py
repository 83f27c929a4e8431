"""Where people are logged in. A session is a family of refresh tokens: each is good once, and makes the next.

A token that comes a second time ends its session, whoever holds it: of two who have the same one, one has stolen it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from database.statements import Statements
from services.identity.errors import NotYourSession, RefreshReused, SessionEnded, UnknownSession
from services.identity.people.session_holders import SessionHolder
from services.timestamps import timestamp

MOST_SESSIONS: Final = 50
"""Of one person; a further log-in ends the oldest."""

KEPT_DAYS: Final = 30
"""How long one that is over can still be told from one that never was."""

LONGEST_AGENT: Final = 300
"""Characters of what a browser calls itself."""

OPEN = text("""
    INSERT INTO user_sessions (user_id, token_id, created_at, last_used_at, expires_at, address, user_agent)
    VALUES (:user_id, :token_id, :now, :now, :expires_at, :address, :user_agent) RETURNING id
""")

CLAIM = text("""
    UPDATE user_sessions s SET token_id = :next, last_used_at = :now, address = :address, user_agent = :user_agent
    FROM users u
    WHERE s.id = :session_id AND s.token_id = :token_id AND s.ended_at IS NULL AND s.expires_at > :now
        AND u.id = s.user_id AND u.is_active
    RETURNING s.user_id, s.expires_at
""")
"""Whoever comes second finds another token, and nothing to change."""

END_IF_REUSED = text("""
    UPDATE user_sessions SET ended_at = coalesce(ended_at, :now) WHERE id = :session_id AND token_id <> :token_id
    RETURNING id
""")

END = text("UPDATE user_sessions SET ended_at = :now WHERE id = :session_id AND ended_at IS NULL")
END_ALL = text("""
    UPDATE user_sessions SET ended_at = :now WHERE user_id = :user_id AND ended_at IS NULL AND id <> :spared
""")
END_OLDEST = text("""
    UPDATE user_sessions SET ended_at = :now WHERE ended_at IS NULL AND id IN (
        SELECT id FROM user_sessions WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > :now
        ORDER BY id DESC OFFSET :kept
    )
""")
FORGET = text("""
    DELETE FROM user_sessions
    WHERE user_id = :user_id AND least(ended_at, expires_at) < CAST(:now AS timestamptz) - make_interval(days => :days)
""")

OWNER = text("SELECT user_id FROM user_sessions WHERE id = :session_id")
PAGE = text("""
    SELECT id, created_at, last_used_at, address, user_agent FROM user_sessions
    WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > :now AND id < :before ORDER BY id DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of a refresh: whose session goes on until when, or why it does not, to be raised after the commit."""

    user_id: int = 0
    expires_at: datetime | None = None
    refusal: SessionEnded | RefreshReused | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """From where somebody logs in or refreshes, and with what."""

    address: str
    user_agent: str


def open_session(
    session: Statements, user_id: int, token_id: UUID, client: Client, now: datetime, expires_at: datetime
) -> int:
    """A new session of this person; its id. Those that are long over are forgotten, and the oldest beyond 50 ends."""
    session.execute(FORGET, {"user_id": user_id, "now": now, "days": KEPT_DAYS})
    session.execute(END_OLDEST, {"user_id": user_id, "now": now, "kept": MOST_SESSIONS - 1})
    opened = {"user_id": user_id, "token_id": token_id, "now": now, "expires_at": expires_at, **_client(client)}
    return int(session.scalar(OPEN, opened))


def refresh_session(
    session: Statements, session_id: int, used: UUID, following: UUID, client: Client, now: datetime
) -> Refreshed:
    """Use this token of a session up, for the one that follows it. A token that was used before ends the session."""
    claimed = {"session_id": session_id, "token_id": used, "next": following, "now": now, **_client(client)}
    row = session.execute(CLAIM, claimed).one_or_none()
    if row is not None:
        return Refreshed(row.user_id, row.expires_at)
    return Refreshed(refusal=_refused(session, session_id, used, now))


def end_with(session: Statements, session_id: int, token_id: UUID, now: datetime) -> RefreshReused | None:
    """End the session of this token; also where it was used before, which is to be raised after the commit."""
    reused = _refused(session, session_id, token_id, now)
    session.execute(END, {"session_id": session_id, "now": now})
    return reused if isinstance(reused, RefreshReused) else None


def end_session(session: Statements, user_id: int, session_id: int, now: datetime) -> None:
    """End one of the person's sessions; nothing if it was over. Raises UnknownSession, NotYourSession."""
    refuse_foreign_session(session, user_id, session_id)
    session.execute(END, {"session_id": session_id, "now": now})


def refuse_foreign_session(session: Statements, user_id: int, session_id: int) -> None:
    """Raises UnknownSession, and NotYourSession unless it is one of the person's."""
    owner = session.scalar(OWNER, {"session_id": session_id})
    if owner is None:
        raise UnknownSession(f"There is no session {session_id}.")
    if owner != user_id:
        raise NotYourSession


def end_sessions(session: Statements, user_id: int, now: datetime, spared: int = 0) -> None:
    """End all sessions of the person, but for the spared one."""
    session.execute(END_ALL, {"user_id": user_id, "now": now, "spared": spared})


def read_sessions(
    session: Statements, holder: SessionHolder, now: datetime, before: int, limit: int
) -> Iterator[dict[str, Any]]:
    """The person's sessions with lower ids that go on, newest first."""
    rows = session.execute(PAGE, {"user_id": holder.user_id, "now": now, "before": before, "limit": limit})
    return (_document(row, holder.session_id) for row in rows)


def _refused(session: Statements, session_id: int, token_id: UUID, now: datetime) -> SessionEnded | RefreshReused:
    reused = session.scalar(END_IF_REUSED, {"session_id": session_id, "token_id": token_id, "now": now})
    return SessionEnded() if reused is None else RefreshReused()


def _client(client: Client) -> dict[str, str]:
    return {"address": client.address, "user_agent": client.user_agent[:LONGEST_AGENT]}


def _document(row: Any, current: int) -> dict[str, Any]:
    return {
        "session_id": row.id,
        "created_at": timestamp(row.created_at),
        "last_used_at": timestamp(row.last_used_at),
        "address": row.address,
        "user_agent": row.user_agent,
        "current": row.id == current,
    }
