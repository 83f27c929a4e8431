"""The word that all numbers of an exchange belong to."""

from sqlalchemy import BigInteger, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, CreatedAt


class Epoch(Base):
    """The present epoch, the only row. It is made with the database, and anew whenever numbers begin again.

    Whoever comes with a number of another epoch has to begin anew: it says nothing in this one.
    """

    __tablename__ = "epochs"
    __table_args__ = (CheckConstraint("id = 1", name="one_at_a_time"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(
        server_default=text("left(replace(CAST(gen_random_uuid() AS text), '-', ''), 12)")
    )
    began_at: Mapped[CreatedAt]
