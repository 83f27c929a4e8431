"""What an account can hold: cash, and every listed stock."""

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Id

CASH = 1
"""The asset that is money, counted in cents; the first migration makes it."""


LARGEST_SUPPLY = 2**62 - 1
"""The most of one asset that may be brought in or lent, in cents or shares: then no balance can pass 64 bits."""


class Asset(Base):
    """Cash (counted in cents) or a stock (counted in shares).

    `supply` is what was brought in and not taken out again, and of cash what brokers may owe besides.
    """

    __tablename__ = "assets"
    __table_args__ = (
        CheckConstraint("kind IN ('cash', 'stock')", name="kind_known"),
        CheckConstraint(f"supply BETWEEN 0 AND {LARGEST_SUPPLY}", name="supply_in_range"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    supply: Mapped[Amount] = mapped_column(server_default=text("0"))
