"""The key of the exchange's administrator, kept as a hash."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, CreatedAt, Id


class AdminKey(Base):
    """An administrator's key: SHA-256 of what was shown once."""

    __tablename__ = "admin_keys"

    id: Mapped[Id]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[CreatedAt]
