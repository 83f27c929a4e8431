"""How many events each broker was told of its own orders, and how many its receiver is to be told."""

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base


class AccountCounter(Base):
    """The number of a broker's last row in `account_events`; a broker that was told nothing yet has no counter.

    `webhook_sequence` is the number of its last row in `webhook_deliveries`.

    A row of its own, for nearly every turn raises it: only turns touch it, and it is rewritten within its page.
    """

    __tablename__ = "account_counters"
    __table_args__ = ({"postgresql_with": {"fillfactor": "20"}},)

    broker_id: Mapped[Amount] = mapped_column(ForeignKey("brokers.id"), primary_key=True)
    sequence: Mapped[Amount]
    webhook_sequence: Mapped[Amount] = mapped_column(server_default=text("0"))
