"""An order and how far it has got."""

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Id, Instant

OPEN_STATUSES = ("pending", "untriggered", "open", "partially_filled")
"""The statuses of an order that can still trade; all others are final, and then nothing is reserved."""

STATUSES = (*OPEN_STATUSES, "filled", "cancelled", "expired", "rejected")


class Order(Base):
    """An order of one broker on one stock. Prices in cents, quantities in shares.

    Always quantity = filled + remaining + cancelled; `cancelled_quantity` counts what expired or was rejected, too, and
    `prevented_quantity` is the part of it that self-trade prevention took. `filled_notional` is the sum of
    price x quantity of its fills (cents). `sequence` is that of the command that brought it; `priority` is its place in
    time within its level, renewed when an amendment or an iceberg's new part loses it; `entered_at` is when it got that
    place, null for one that never waited, or that has had its place since before this was kept.
    `protection_price` is the worst price of an order without a limit: a market buy, or a stop that goes on as one.
    A stop waits at `stop_price` until it is `triggered_at`; an iceberg shows `shown_quantity` of what remains.
    `maker_bps` and `taker_bps` are its fees, frozen as it came; null for an order that pays none. `maker_notional` is
    the part of `filled_notional` that was traded at the maker's rate.
    `fingerprint` identifies what was asked for, so that the same `client_order_id` can be told from another order.

    PostgreSQL reads the rules of a table anew for each statement: here is the one that shares depend on, `verify`
    knows the others (`services.verify.checks.terms`).
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(
            "quantity = filled_quantity + remaining_quantity + cancelled_quantity AND filled_quantity >= 0 "
            "AND remaining_quantity >= 0 AND cancelled_quantity >= 0 "
            "AND (closed_at IS NULL) = (remaining_quantity > 0)",
            name="parts_add_up",
        ),
        Index(
            "uq_orders_broker_id_client_order_id",
            "broker_id",
            "client_order_id",
            unique=True,
            postgresql_where=text("client_order_id IS NOT NULL"),
        ),
        Index("ix_orders_broker_id_id", "broker_id", "id"),
        Index("ix_orders_stock_id_broker_id_open", "stock_id", "broker_id", postgresql_where=text("closed_at IS NULL")),
        Index(
            "ix_orders_valid_until_open",
            "valid_until",
            postgresql_where=text("closed_at IS NULL AND valid_until IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    id: Mapped[Id]
    broker_id: Mapped[Amount]
    stock_id: Mapped[Amount]
    document_number: Mapped[str]
    side: Mapped[str]
    order_type: Mapped[str]
    time_in_force: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'pending'"))
    price: Mapped[Amount | None]
    protection_price: Mapped[Amount | None]
    stop_price: Mapped[Amount | None]
    display_quantity: Mapped[Amount | None]
    shown_quantity: Mapped[Amount | None]
    post_only: Mapped[bool] = mapped_column(server_default=text("false"))
    quantity: Mapped[Amount]
    filled_quantity: Mapped[Amount] = mapped_column(server_default=text("0"))
    remaining_quantity: Mapped[Amount]
    cancelled_quantity: Mapped[Amount] = mapped_column(server_default=text("0"))
    prevented_quantity: Mapped[Amount] = mapped_column(server_default=text("0"))
    filled_notional: Mapped[Amount] = mapped_column(server_default=text("0"))
    maker_bps: Mapped[Amount | None]
    taker_bps: Mapped[Amount | None]
    maker_notional: Mapped[Amount | None]
    self_trade_prevention: Mapped[str | None]
    valid_until: Mapped[Instant | None]
    client_order_id: Mapped[str | None]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    close_reason: Mapped[str | None]
    sequence: Mapped[Amount | None]
    priority: Mapped[Amount | None]
    entered_at: Mapped[Instant | None]
    triggered_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    closed_at: Mapped[Instant | None]
