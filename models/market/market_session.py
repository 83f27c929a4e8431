"""Where each market is in its day."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Instant


class MarketSession(Base):
    """The phase that a market's stocks were last asked to enter, and the next one with its time.

    The end of an auction is drawn when the auction begins, and kept here: whoever runs the schedule next goes by it.
    `schedule` says which configuration `next_at` follows from.
    """

    __tablename__ = "market_sessions"
    __table_args__ = (CheckConstraint("next_at >= began_at", name="goes_forward"),)

    market: Mapped[str] = mapped_column(primary_key=True)
    schedule: Mapped[str]
    phase: Mapped[str]
    began_at: Mapped[Instant]
    next_phase: Mapped[str]
    next_at: Mapped[Instant]
