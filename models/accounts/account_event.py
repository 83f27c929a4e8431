"""What a broker was told of its own orders, numbered without gaps."""

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Instant


class AccountEvent(Base):
    """One event of one order, as the order stood right then: prices in cents, quantities in shares.

    `sequence` is gapless for a broker, from 1; the last one is in `account_counters`. A fill has the
    id of its trade; a broker that is on both sides of one has two. `fee` (cents) is what a fill bears, null for
    nothing. `event_quantity` is what left without a trade. One with a `bust_id` tells of that bust, and has no trade.
    """

    __tablename__ = "account_events"
    __table_args__ = (
        Index(
            "ix_account_events_broker_id_sequence_fills",
            "broker_id",
            "sequence",
            postgresql_where=text("trade_id IS NOT NULL"),
        ),
        Index(
            "ix_account_events_order_id_sequence_fills",
            "order_id",
            "sequence",
            postgresql_where=text("trade_id IS NOT NULL"),
        ),
    )

    broker_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    order_id: Mapped[Amount]
    trade_id: Mapped[Amount | None]
    fee: Mapped[Amount | None]
    status: Mapped[str]
    price: Mapped[Amount | None]
    quantity: Mapped[Amount]
    filled_quantity: Mapped[Amount]
    remaining_quantity: Mapped[Amount]
    filled_notional: Mapped[Amount]
    event_quantity: Mapped[Amount | None]
    reason: Mapped[str | None]
    bust_id: Mapped[Amount | None]
    happened_at: Mapped[Instant]
