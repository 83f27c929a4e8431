"""The keys of brokers' programs, kept as hashes."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, CreatedAt, Id, Instant


class ApiKey(Base):
    """A key of a broker: SHA-256 of what was shown once, and the beginning of it, by which people know it again.

    `scopes`: what it may do. `allowed_addresses`: networks from which it may be used, in CIDR notation; null for all.
    It ends at `expires_at`, or when it is revoked; its row stays.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("scopes <@ ARRAY['read', 'trade', 'cancel'] AND cardinality(scopes) > 0", name="scopes_known"),
        CheckConstraint("cardinality(allowed_addresses) > 0", name="some_address_allowed"),
        Index("ix_api_keys_broker_id", "broker_id", "id"),
    )

    id: Mapped[Id]
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id"))
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    allowed_addresses: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    expires_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None]
    last_used_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
