"""What came in from outside and went out again, besides what `transfers` says of it."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Total


class ExternalTransfer(Base):
    """A deposit or a withdrawal: with `transfer_id` it is in `transfers`, too.

    `cost` (cents) is what it added to the cost of the position, negative for a withdrawal, 0 for cash. It happened
    after the broker's own event number `account_sequence`, and before the next. `reference`: the caller's, if any.
    """

    __tablename__ = "external_transfers"
    __table_args__ = (
        Index("ix_external_transfers_account", "broker_id", "asset_id", "account_sequence", "transfer_id"),
    )

    transfer_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    broker_id: Mapped[Amount]
    asset_id: Mapped[Amount]
    account_sequence: Mapped[Amount]
    cost: Mapped[Total]
    reference: Mapped[str | None]
