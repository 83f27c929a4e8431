"""An execution: one buyer, one seller, one price."""

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Id, Instant


class Trade(Base):
    """`quantity` shares that changed hands at `price` cents each.

    `sequence` is that of its event on the stock's tape; `command_sequence` that of the command that caused it.
    `reference_price` (cents) is what the band lay around when that command came; null where there was none. The fills
    of a broker, or of an order, are found by `account_events`. One that `is_auction` is of an auction's end.

    What was executed is never edited. A trade that was busted is marked with when; one that stands at another price has
    that as `adjusted_price`: wherever prices count, it is the one that counts.
    """

    __tablename__ = "trades"
    __table_args__ = (
        CheckConstraint("price > 0 AND quantity > 0", name="positive"),
        CheckConstraint("adjusted_price > 0", name="adjusted_price"),
        Index("uq_trades_stock_id_sequence", "stock_id", "sequence", unique=True),
    )

    id: Mapped[Id]
    stock_id: Mapped[Amount]
    sequence: Mapped[Amount]
    command_sequence: Mapped[Amount]
    price: Mapped[Amount]
    quantity: Mapped[Amount]
    reference_price: Mapped[Amount | None]
    aggressor_side: Mapped[str]
    buy_order_id: Mapped[Amount]
    sell_order_id: Mapped[Amount]
    buyer_id: Mapped[Amount]
    seller_id: Mapped[Amount]
    is_auction: Mapped[bool] = mapped_column(server_default=text("false"))
    executed_at: Mapped[Instant]
    busted_at: Mapped[Instant | None]
    adjusted_price: Mapped[Amount | None]
