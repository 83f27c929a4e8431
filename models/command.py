"""The inbox: whatever changes a book, in the order in which it does."""

from typing import Any

from sqlalchemy import JSON, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Id, Instant

KINDS = ("new", "cancel", "amend", "close", "expire", "state", "uncross", "roll", "bust")

ABOUT_ORDERS = ("new", "cancel", "amend", "close")
"""The kinds that name an order."""

BRINGING = ("new", "close")
"""The kinds that bring one: `close` an order for all of a position, in place of the owner's own orders of that side."""


class Command(Base):
    """One request to change a book, written in the transaction that reserves for it.

    The worker gives it its `sequence` (gapless for each stock) and its time when it takes it; both together with
    `payload` are the journal that a fresh engine replays. `refused` holds the code of a command that never reached
    the engine; `error` the report of one that broke it. `reserved` (cents or shares) is what an amendment set aside
    beyond what the order already had; and all that the order of a `close` has before it is taken, whose quantity then
    is the order's. `reply_to` says who waits for the answer.
    """

    __tablename__ = "commands"
    __table_args__ = (
        Index("ix_commands_stock_id_id_unsequenced", "stock_id", "id", postgresql_where=text("sequence IS NULL")),
        Index(
            "uq_commands_stock_id_sequence",
            "stock_id",
            "sequence",
            unique=True,
            postgresql_where=text("sequence IS NOT NULL"),
        ),
        Index(
            "uq_commands_order_id_waiting_amendment",
            "order_id",
            unique=True,
            postgresql_where=text("sequence IS NULL AND kind = 'amend'"),
        ),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    id: Mapped[Id]
    stock_id: Mapped[Amount]
    kind: Mapped[str]
    order_id: Mapped[Amount | None]
    broker_id: Mapped[Amount | None]
    payload: Mapped[Any] = mapped_column(JSON)
    reserved: Mapped[Amount] = mapped_column(server_default=text("0"))
    reply_to: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    sequence: Mapped[Amount | None]
    sequenced_at: Mapped[Instant | None]
    refused: Mapped[str | None]
    error: Mapped[str | None]
