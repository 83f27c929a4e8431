"""What a broker's receiver is told."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Id, Instant


class WebhookDelivery(Base):
    """One message to one receiver, made with what it tells of.

    A trade's body is made of the broker's event `account_sequence`. A test has neither that nor a `sequence`. `pending`
    ones go in the order of their numbers; one that is `set_aside` goes alone, at `next_attempt_at`. `tries` are the
    attempts that failed; `attempts` are the latest, each {at, status_code, error, milliseconds}.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'delivered', 'set_aside', 'failed')", name="status_known"),
        Index("ix_webhook_deliveries_broker_id_id", "broker_id", "id"),
        Index("ix_webhook_deliveries_pending", "broker_id", "sequence", postgresql_where=text("status = 'pending'")),
        Index(
            "ix_webhook_deliveries_set_aside",
            "broker_id",
            "next_attempt_at",
            postgresql_where=text("status = 'set_aside'"),
        ),
    )

    id: Mapped[Id]
    broker_id: Mapped[Amount]
    sequence: Mapped[Amount | None]
    event: Mapped[str]
    account_sequence: Mapped[Amount | None]
    status: Mapped[str] = mapped_column(server_default=text("'pending'"))
    tries: Mapped[Amount] = mapped_column(server_default=text("0"))
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    next_attempt_at: Mapped[Instant | None]
    delivered_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
