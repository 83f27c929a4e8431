"""A stock's book as it was after one command, kept now and then."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Instant


class BookCheckpoint(Base):
    """All that the book needs to go on from there: its state, prices in cents, and its open orders in their priority.

    What was there at any later command follows from it and the journal, without what came before. `orders`
    has a line of JSON for each (`services.history` says what is in it). `sequenced_at` is the time of the command.
    """

    __tablename__ = "book_checkpoints"

    stock_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    command_sequence: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    sequenced_at: Mapped[Instant]
    state: Mapped[str]
    reference_price: Mapped[Amount | None]
    last_price: Mapped[Amount | None]
    order_count: Mapped[Amount]
    orders: Mapped[str]
    kept_at: Mapped[CreatedAt]
