"""What a stock's trades of one stretch of time come to."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Instant, Total


class Candle(Base):
    """The trades of one stock from `start` on, for `seconds`; a day's are 86,400, however long it is.

    Prices in cents, `volume` in shares, `turnover` in cents; busted trades do not count. The trades are those of the
    stock's tape from `first_sequence` to `last_sequence`: by them a candle is worked out again after a bust.
    """

    __tablename__ = "candles"
    __table_args__ = ({"postgresql_with": {"fillfactor": "70"}},)

    stock_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    seconds: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    start: Mapped[Instant] = mapped_column(primary_key=True)
    open: Mapped[Amount]
    high: Mapped[Amount]
    low: Mapped[Amount]
    close: Mapped[Amount]
    volume: Mapped[Total]
    turnover: Mapped[Total]
    trades: Mapped[Amount]
    first_sequence: Mapped[Amount]
    last_sequence: Mapped[Amount]
