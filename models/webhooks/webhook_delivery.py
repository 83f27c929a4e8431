"""What a broker's receiver is told."""

from typing import Any

from sqlalchemy import CheckConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Instant


class WebhookDelivery(Base):
    """One message to one receiver, made with what it tells of.

    A trade's body is made of the broker's event `account_sequence`. A test has neither that nor a `sequence`. `pending`
    ones go in the order of their numbers; one that is `set_aside` goes alone, at `next_attempt_at`, and before that
    once its receiver has answered well, at `freed_at`. `tries` are the attempts that failed, but for those before its
    time; `attempts` are the latest, each {at, status_code, error, milliseconds}.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'delivered', 'set_aside', 'failed')", name="status_known"),
        Index(
            "ix_webhook_deliveries_tests", "broker_id", postgresql_where=text("sequence IS NULL AND status = 'pending'")
        ),
        Index(
            "ix_webhook_deliveries_set_aside",
            "broker_id",
            "next_attempt_at",
            postgresql_where=text("status = 'set_aside'"),
        ),
    )

    broker_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[Amount] = mapped_column(Identity(always=False), primary_key=True)
    sequence: Mapped[Amount | None]
    event: Mapped[str]
    account_sequence: Mapped[Amount | None]
    status: Mapped[str] = mapped_column(server_default=text("'pending'"))
    tries: Mapped[Amount] = mapped_column(server_default=text("0"))
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    next_attempt_at: Mapped[Instant | None]
    freed_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
