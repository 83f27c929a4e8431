"""Where a broker wants to be told of its trades."""

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Instant

WANTS_TRADES = "'trade_executed' = ANY (events)"


class Webhook(Base):
    """A broker's hook. One that was deleted has no `url` and no `secret`.

    While it is not enabled nothing is delivered, and trades make no deliveries. `previous_secret` signs besides until
    `previous_until`.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint("(url IS NULL) = (secret IS NULL)", name="secret_of_url"),
        CheckConstraint("url IS NOT NULL OR NOT enabled", name="enabled_with_url"),
        CheckConstraint("(previous_secret IS NULL) = (previous_until IS NULL)", name="previous_until"),
        Index("ix_webhooks_of_trades", "broker_id", postgresql_where=text(f"enabled AND {WANTS_TRADES}")),
    )

    broker_id: Mapped[Amount] = mapped_column(ForeignKey("brokers.id"), primary_key=True, autoincrement=False)
    url: Mapped[str | None]
    secret: Mapped[str | None]
    previous_secret: Mapped[str | None]
    previous_until: Mapped[Instant | None]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    enabled: Mapped[bool]
