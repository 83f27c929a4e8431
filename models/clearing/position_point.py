"""What a position was at one moment: from here on a bust works it out again."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Instant, Total


class PositionPoint(Base):
    """The position of a broker in a stock after its own event number `sequence`.

    `net` is what it held, less what it owed, in shares; `cost` and `realised_pnl` in cents. Deposits and withdrawals up
    to `transfer_id` are in it. These rows only save work: without one a position is worked out from its beginning.
    """

    __tablename__ = "position_points"
    __table_args__ = (Index("ix_position_points_taken_at", "taken_at"),)

    broker_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    asset_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    transfer_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    net: Mapped[Amount]
    cost: Mapped[Total]
    realised_pnl: Mapped[Total]
    taken_at: Mapped[Instant]
