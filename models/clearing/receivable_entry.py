"""What brokers owe to the guarantee account, entry by entry."""

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base


class ReceivableEntry(Base):
    """An advance of the guarantee account (`amount` above 0), or a repayment: cents, or shares of a stock.

    Each has a row in `transfers`; the sum of a broker's entries for an asset is what its balance has as `owed`, and the
    guarantee account's own balance is less by the sum of all (the trigger `receivable_entries_booked`). An advance is
    for a bust of `trade_id`. It happened after the broker's own event number `account_sequence`, and before the next.
    """

    __tablename__ = "receivable_entries"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        Index("ix_receivable_entries_account", "broker_id", "asset_id", "account_sequence", "transfer_id"),
    )

    transfer_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    broker_id: Mapped[Amount]
    asset_id: Mapped[Amount]
    account_sequence: Mapped[Amount]
    amount: Mapped[Amount]
    trade_id: Mapped[Amount | None]
