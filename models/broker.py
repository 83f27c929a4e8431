"""Who trades."""

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Id, Instant


class Broker(Base):
    """A member of the exchange; its keys are in `api_keys`.

    `short_limit` (shares of each stock) is the `credit_limit` that its share balances start with. Unless it is heard of
    again before `cancel_after`, all its orders are cancelled then. A guest has signed up, and has limits of its own.
    """

    __tablename__ = "brokers"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'close_only', 'suspended')", name="status_known"),
        CheckConstraint("short_limit >= 0", name="short_limit_not_negative"),
        Index("ix_brokers_cancel_after", "cancel_after", postgresql_where=text("cancel_after IS NOT NULL")),
    )

    id: Mapped[Id]
    name: Mapped[str]
    webhook_url: Mapped[str | None]
    webhook_secret: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    short_limit: Mapped[Amount] = mapped_column(server_default=text("0"))
    cancel_after: Mapped[Instant | None]
    is_guest: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[CreatedAt]
