"""Trades that broke a rule of clearing."""

from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Instant


class Verdict(Base):
    """A trade that broke `rule`; all that it broke are in `broken`: [{rule, …figures}].

    Whoever looked at it and lets it stand is `stands_by_name`. Trades without a verdict are well, as far as their
    stock's tape was judged (`judged_stocks`).
    """

    __tablename__ = "verdicts"
    __table_args__ = (Index("ix_verdicts_trade_id_waiting", "trade_id", postgresql_where=text("stands_at IS NULL")),)

    trade_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    stock_id: Mapped[Amount]
    rule: Mapped[str]
    broken: Mapped[Any] = mapped_column(JSON)
    flagged_at: Mapped[CreatedAt]
    stands_at: Mapped[Instant | None]
    stands_by_name: Mapped[str | None]
    stands_reason: Mapped[str | None]
