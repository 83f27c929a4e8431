"""Every movement of money and shares, one row each, never changed."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import Amount, Base, CreatedAt, Id

KINDS = ("deposit", "withdrawal", "reserve", "release", "improvement", "trade")


class Transfer(Base):
    """`amount` of an asset (cents or shares) that left one bucket for another.

    One row has both ends, so the books balance by construction. The bucket `outside` is the world beyond the
    exchange: a deposit comes from it, a withdrawal goes to it.
    """

    __tablename__ = "transfers"
    __table_args__ = (CheckConstraint("amount > 0", name="amount_positive"),)

    id: Mapped[Id]
    kind: Mapped[str]
    asset_id: Mapped[Amount]
    amount: Mapped[Amount]
    from_broker: Mapped[Amount]
    from_bucket: Mapped[str]
    to_broker: Mapped[Amount]
    to_bucket: Mapped[str]
    order_id: Mapped[Amount | None]
    trade_id: Mapped[Amount | None]
    created_at: Mapped[CreatedAt]
