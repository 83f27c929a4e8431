"""People, who log in with a password."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, CreatedAt, Id


class User(Base):
    """A person: `password_hash` is argon2's own notation, salt and costs in it.

    `broker_id`: the broker that a trader trades for; of others it is kept, and gives them nothing. Whoever is not
    active is let in nowhere; the row stays.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("username ~ '^[a-z0-9._-]{3,32}$'", name="username_is_a_handle"),
        CheckConstraint("role IN ('trader', 'clearing', 'operator', 'admin')", name="role_known"),
        CheckConstraint("role <> 'trader' OR broker_id IS NOT NULL", name="trader_has_a_broker"),
        Index("ix_users_broker_id", "broker_id"),
    )

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    broker_id: Mapped[int | None] = mapped_column(ForeignKey("brokers.id"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[CreatedAt]
