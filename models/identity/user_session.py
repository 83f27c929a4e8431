"""Where people are logged in."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, CreatedAt, Id, Instant


class UserSession(Base):
    """One log-in of a person, and the family of refresh tokens that came of it.

    `token_id`: the one token of the family that has not been used. The session is over at `expires_at`, or when it is
    ended. `address` and `user_agent` are those of its last refresh, by which people know it again.
    """

    __tablename__ = "user_sessions"
    __table_args__ = (Index("ix_user_sessions_user_id", "user_id", "id"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    token_id: Mapped[UUID]
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]
    address: Mapped[str]
    user_agent: Mapped[str]
