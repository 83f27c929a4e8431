"""How far each stock's tape was judged."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base


class JudgedStock(Base):
    """Every trade of the stock up to `sequence` of its tape was judged, once; `state` is the trading state by then."""

    __tablename__ = "judged_stocks"

    stock_id: Mapped[Amount] = mapped_column(ForeignKey("stocks.id"), primary_key=True, autoincrement=False)
    sequence: Mapped[Amount]
    state: Mapped[str]
