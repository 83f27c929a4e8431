"""What an account can hold: cash, and every listed stock."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id

CASH = 1
"""The asset that is money, counted in cents; the first migration makes it."""


class Asset(Base):
    """Cash (counted in cents) or a stock (counted in shares)."""

    __tablename__ = "assets"
    __table_args__ = (CheckConstraint("kind IN ('cash', 'stock')", name="kind_known"),)

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
