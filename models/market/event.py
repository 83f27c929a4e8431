"""What happened on a stock's public tape, numbered without gaps."""

from typing import Any

from sqlalchemy import JSON, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt


class Event(Base):
    """One public event of a stock; a listener that missed some asks for them by sequence."""

    __tablename__ = "events"
    __table_args__ = (
        Index(
            "ix_events_stock_id_sequence_corrections",
            "stock_id",
            "sequence",
            postgresql_where=text("kind IN ('TRADE_BUSTED', 'TRADE_ADJUSTED')"),
        ),
    )

    stock_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    payload: Mapped[Any] = mapped_column(JSON)
    created_at: Mapped[CreatedAt]
