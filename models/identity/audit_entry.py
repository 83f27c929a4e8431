"""Who did what to whom: written once, never changed."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, CreatedAt, Id


class AuditEntry(Base):
    """One act of an administrator, an operator, a person or a key that changed who may do what, or who owns what.

    `actor_id`: of a person or a key. `target`: of what kind it is, and which one, as in `broker:7`. `before` and
    `after`: what the act changed; no secret is in them.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        CheckConstraint("actor_kind IN ('person', 'key', 'admin_key', 'command_line')", name="actor_kind_known"),
        Index("ix_audit_log_target", "target", "id"),
        Index("ix_audit_log_action", "action", "id"),
    )

    id: Mapped[Id]
    created_at: Mapped[CreatedAt]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    address: Mapped[str]
    request_id: Mapped[str | None]
