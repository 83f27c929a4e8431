"""A bust: a trade is taken back, or stands at another price."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, Id, Instant

REQUESTED = "requested"
"""Its command waits for its turn."""
NEEDS_CONFIRMATION = "needs_confirmation"
WAITING_FOR_GUARANTEE = "waiting_for_guarantee"
DONE = "done"
REJECTED = "rejected"
EXPIRED = "expired"

STATUSES = (REQUESTED, NEEDS_CONFIRMATION, WAITING_FOR_GUARANTEE, DONE, REJECTED, EXPIRED)
LIVE = (REQUESTED, NEEDS_CONFIRMATION, WAITING_FOR_GUARANTEE, DONE)
"""A trade has one bust at most in any of these."""


class Bust(Base):
    """What was asked for of a trade, by whom, and what became of it. Prices and `notional` in cents.

    `new_price` is that at which the trade stands from then on; null for one that is taken back. `notional` is the
    trade's own price x quantity: what counts towards the threshold of the second person. `asked_by` is a person, null
    for a rule (`rule`) and for the administrator's key; `asked_by_name` names whoever it was. Busts of one `range_id`
    were asked for together. `refusal` is the code with which its turn refused it.

    Once done: `command_sequence` and `event_sequence` are its places in the stock's journal and on its tape,
    `last_price` that of the last trade that stands by then, and `shortfalls` what its debtors could not give:
    [{broker_id, asset, owed, taken_available, missing, advanced, orders_cancelled}].
    """

    __tablename__ = "busts"
    __table_args__ = (
        CheckConstraint("status IN ({})".format(", ".join(f"'{status}'" for status in STATUSES)), name="status_known"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> asked_by", name="second_person"),
        CheckConstraint("status <> 'done' OR command_sequence IS NOT NULL", name="done_by_a_command"),
        CheckConstraint("new_price > 0", name="price_positive"),
        Index(
            "uq_busts_trade_id_live",
            "trade_id",
            unique=True,
            postgresql_where=text("status IN ({})".format(", ".join(f"'{status}'" for status in LIVE))),
        ),
        Index("ix_busts_status", "status", postgresql_where=text("status NOT IN ('done', 'rejected', 'expired')")),
        Index("ix_busts_asked_at", "asked_at"),
        Index("ix_busts_stock_id_command_sequence", "stock_id", "command_sequence"),
    )

    id: Mapped[Id]
    trade_id: Mapped[Amount]
    stock_id: Mapped[Amount]
    new_price: Mapped[Amount | None]
    notional: Mapped[Amount]
    status: Mapped[str] = mapped_column(server_default=text("'requested'"))
    refusal: Mapped[str | None]
    rule: Mapped[str | None]
    reason: Mapped[str]
    range_id: Mapped[Amount | None]
    asked_by: Mapped[Amount | None]
    asked_by_name: Mapped[str]
    asked_at: Mapped[Instant]
    confirmed_by: Mapped[Amount | None]
    confirmed_by_name: Mapped[str | None]
    confirmed_at: Mapped[Instant | None]
    rejected_by_name: Mapped[str | None]
    rejected_at: Mapped[Instant | None]
    rejection: Mapped[str | None]
    command_sequence: Mapped[Amount | None]
    event_sequence: Mapped[Amount | None]
    last_price: Mapped[Amount | None]
    done_at: Mapped[Instant | None]
    shortfalls: Mapped[Any] = mapped_column(JSON, server_default=text("'[]'"))
