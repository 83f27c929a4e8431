"""How many events each broker was told of its own orders."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base


class AccountCounter(Base):
    """The number of a broker's last row in `account_events`; a broker that was told nothing yet has no counter.

    A row of its own, for nearly every turn raises it: only turns touch it, and it is rewritten within its page.
    """

    __tablename__ = "account_counters"
    __table_args__ = ({"postgresql_with": {"fillfactor": "20"}},)

    broker_id: Mapped[Amount] = mapped_column(ForeignKey("brokers.id"), primary_key=True)
    sequence: Mapped[Amount]
