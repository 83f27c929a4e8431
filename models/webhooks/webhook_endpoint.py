"""How the receiver at a broker's hook fares."""

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Instant


class WebhookEndpoint(Base):
    """What the senders know of a receiver; what its broker wants is in `webhooks`.

    One sender speaks with it at a time: `claimed_by`, until `claimed_until`. `failing_since` is when it first failed
    without a success since. `is_probed`: after the delivery that it failed first it has failed the next one, too, so it
    is no single delivery that it cannot take; nothing more is set aside then.
    `probe_at`: when it is looked again whether it is well, where only deliveries that are set aside are left for that.
    No delivery with an id up to `done_id` is pending any more.
    """

    __tablename__ = "webhook_endpoints"

    broker_id: Mapped[Amount] = mapped_column(ForeignKey("brokers.id"), primary_key=True, autoincrement=False)
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[Instant | None]
    failing_since: Mapped[Instant | None]
    is_probed: Mapped[bool] = mapped_column(server_default=text("false"))
    probe_at: Mapped[Instant | None]
    last_success_at: Mapped[Instant | None]
    done_id: Mapped[Amount] = mapped_column(server_default=text("0"))
