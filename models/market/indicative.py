"""What an auction would have brought, as it was told."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Instant


class Indicative(Base):
    """The indicative price (cents, null where nothing would trade), volume and surplus (shares) after a command."""

    __tablename__ = "indicatives"

    stock_id: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    command_sequence: Mapped[Amount] = mapped_column(primary_key=True, autoincrement=False)
    price: Mapped[Amount | None]
    volume: Mapped[Amount]
    surplus: Mapped[Amount]
    told_at: Mapped[Instant]
