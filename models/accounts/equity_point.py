"""What each broker was worth, hour by hour."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Instant, Total


class EquityPoint(Base):
    """A broker's equity at the beginning of an hour, in cents: cash and what its shares were worth.

    `equity` = `net_deposits` + `realised_pnl` + `unrealised_pnl` - `fees`: what comes in is no profit.
    """

    __tablename__ = "equity_points"
    __table_args__ = (Index("ix_equity_points_taken_at", "taken_at"),)

    broker_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    taken_at: Mapped[Instant] = mapped_column(primary_key=True)
    equity: Mapped[Total]
    cash: Mapped[Total]
    realised_pnl: Mapped[Total]
    unrealised_pnl: Mapped[Total]
    fees: Mapped[Total]
    net_deposits: Mapped[Total]
