"""How far the reporter has come with a stock's tape."""

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Total


class ReportedStock(Base):
    """The last `sequence` of a stock's tape that is in its candles, and what its session came to by then.

    Days are those of the time zone `zone`. The figures are of the session that began behind `session_sequence`: prices
    in cents, `volume` in shares, `turnover` in cents; `is_auction` says that an auction opened it.
    """

    __tablename__ = "reported_stocks"
    __table_args__ = ({"postgresql_with": {"fillfactor": "50"}},)

    stock_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    zone: Mapped[str]
    sequence: Mapped[Amount] = mapped_column(server_default=text("0"))
    session_sequence: Mapped[Amount] = mapped_column(server_default=text("0"))
    open: Mapped[Amount | None]
    high: Mapped[Amount | None]
    low: Mapped[Amount | None]
    close: Mapped[Amount | None]
    volume: Mapped[Total] = mapped_column(server_default=text("0"))
    turnover: Mapped[Total] = mapped_column(server_default=text("0"))
    trades: Mapped[Amount] = mapped_column(server_default=text("0"))
    is_auction: Mapped[bool] = mapped_column(server_default=text("false"))
