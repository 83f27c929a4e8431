"""Every movement of money and shares, one row each, never changed."""

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from models.base import Amount, Base, CreatedAt, Id

KINDS = (
    *("deposit", "withdrawal", "reserve", "release", "improvement", "trade", "fee"),
    *("bust", "adjustment", "fee_refund", "advance", "repayment"),
)
"""A `bust` gives back what a trade brought, an `adjustment` the difference of two prices, a `fee_refund` its fee; the
guarantee account gives an `advance` and gets a `repayment`."""


class Transfer(Base):
    """`amount` of an asset (cents or shares) that left one bucket for another.

    One row has both ends, so the books balance by construction. The bucket `outside` is the world beyond the
    exchange: a deposit comes from it, a withdrawal goes to it (`external_transfers` says more of both).
    """

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_transfers_trade_id", "trade_id", postgresql_where=text("kind = 'trade'")),
        Index(
            "ix_transfers_trade_id_busts",
            "trade_id",
            postgresql_where=text("kind IN ('bust', 'adjustment', 'fee_refund')"),
        ),
    )

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
