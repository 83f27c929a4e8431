"""What happened on a stock's public tape, numbered without gaps."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt


class Event(Base):
    """One public event of a stock; a listener that missed some asks for them by sequence."""

    __tablename__ = "events"

    stock_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    payload: Mapped[Any] = mapped_column(JSON)
    created_at: Mapped[CreatedAt]
