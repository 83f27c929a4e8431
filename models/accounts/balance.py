"""What each broker holds of each asset."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Total


class Balance(Base):
    """The running sum of `transfers` for one broker and one asset, in cents or shares.

    `available` may go down to minus `credit_limit` and no further: the database itself forbids overspending.
    `traded` is the net that trades brought: cash received minus paid and minus fees, or shares bought minus sold.
    `cost` (cents) is what the present position cost at average cost, negative for a short one; `realised_pnl` (cents)
    is what closing positions earned: sums of any number of trades, so they know no end. Both stay 0 on the cash row.
    From a `blocked` account nothing can be reserved: its broker is suspended.
    `open_orders` counts the broker's orders that can still trade: on the cash row all, on another those of the stock.
    Whoever places or closes an order changes the balance that pays for it anyway; so the count costs next to nothing.
    `fee_version` on the cash row is that of the broker's fees.
    `owed` (cents or shares) is what the guarantee account has advanced for it: whatever comes in repays that first (the
    trigger `balances_repay`), and what a position cost is reckoned for what is held less what is owed.
    """

    __tablename__ = "balances"
    __table_args__ = (
        CheckConstraint(
            "available >= -credit_limit AND reserved >= 0 AND credit_limit >= 0 AND open_orders >= 0 AND owed >= 0",
            name="within_limits",
        ),
        Index("ix_balances_owed", "broker_id", "asset_id", postgresql_where=text("owed > 0")),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    broker_id: Mapped[Amount] = mapped_column(ForeignKey("brokers.id"), primary_key=True)
    asset_id: Mapped[Amount] = mapped_column(ForeignKey("assets.id"), primary_key=True)
    available: Mapped[Amount] = mapped_column(server_default=text("0"))
    reserved: Mapped[Amount] = mapped_column(server_default=text("0"))
    credit_limit: Mapped[Amount] = mapped_column(server_default=text("0"))
    blocked: Mapped[bool] = mapped_column(server_default=text("false"))
    open_orders: Mapped[Amount] = mapped_column(server_default=text("0"))
    fee_version: Mapped[Amount] = mapped_column(server_default=text("0"))
    owed: Mapped[Amount] = mapped_column(server_default=text("0"))
    traded: Mapped[Amount] = mapped_column(server_default=text("0"))
    cost: Mapped[Total] = mapped_column(server_default=text("0"))
    realised_pnl: Mapped[Total] = mapped_column(server_default=text("0"))
