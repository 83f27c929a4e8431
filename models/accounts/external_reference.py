"""What callers have called their deposits and withdrawals, so that none is done twice."""

from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt


class ExternalReference(Base):
    """A `reference` of a broker, for ever: the SHA-256 of what was asked for, and what was answered, as it was."""

    __tablename__ = "external_references"

    broker_id: Mapped[Amount] = mapped_column(ForeignKey("brokers.id"), primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[CreatedAt]
