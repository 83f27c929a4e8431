"""Whose session it is, and whether it goes on. The only door to a session, for REST and sockets alike."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from services.accounts.fee_terms import FeeTerms, terms_of_row
from services.identity.errors import RoleMissing, SessionEnded
from services.identity.reach import Reach
from services.identity.scopes import ALL

HOLDERS = text("""
    SELECT s.id, u.id AS user_id, u.username, u.role, b.id AS broker_id, b.name AS broker_name, b.status,
        b.is_guest, b.maker_bps, b.taker_bps, b.turnover_30d, b.fee_version, s.expires_at,
        s.ended_at IS NOT NULL OR NOT u.is_active AS is_ended
    FROM user_sessions s JOIN users u ON u.id = s.user_id LEFT JOIN brokers b ON b.id = u.broker_id
    WHERE s.id = ANY(:ids)
""")

IS_ON = text("""
    SELECT u.broker_id, u.role FROM user_sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = :session_id AND s.ended_at IS NULL AND s.expires_at > :now AND u.is_active FOR SHARE
""")


@dataclass(frozen=True, slots=True)
class SessionHolder:
    """A person who is logged in; the broker is that of a trader, and its `status` active, close_only or suspended."""

    session_id: int
    user_id: int
    username: str
    role: str
    broker_id: int | None
    broker_name: str | None
    status: str
    expires_at: datetime
    is_ended: bool
    is_guest: bool
    """Whether the broker has signed up."""
    terms: FeeTerms
    """What its fees follow from."""

    def has_ended(self, now: datetime) -> bool:
        """True if it was ended, or its time is over."""
        return self.is_ended or self.expires_at <= now

    def reach_now(self, session: Statements, now: datetime) -> Reach:
        """How far a key may reach that the person makes: everywhere. Raises SessionEnded, RoleMissing."""
        row = session.execute(IS_ON, {"session_id": self.session_id, "now": now}).one_or_none()
        if row is None:
            raise SessionEnded
        if (row.role, row.broker_id) != (self.role, self.broker_id):
            raise RoleMissing(role=self.role)
        return Reach(ALL)


def sessions_of(session: Statements, ids: Collection[int]) -> dict[int, SessionHolder]:
    """Who has these sessions, by id, also if they have ended; unknown ones are left out."""
    return {row.id: _holder(row) for row in session.execute(HOLDERS, {"ids": list(ids)})}


def _holder(row: Any) -> SessionHolder:
    return SessionHolder(
        session_id=row.id,
        user_id=row.user_id,
        username=row.username,
        role=row.role,
        broker_id=row.broker_id,
        broker_name=row.broker_name,
        status=row.status or "active",
        expires_at=row.expires_at,
        is_ended=row.is_ended,
        is_guest=bool(row.is_guest),
        terms=terms_of_row(row) if row.broker_id else FeeTerms(),
    )
