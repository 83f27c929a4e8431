"""An order and how far it has got."""

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Amount, Base, CreatedAt, Id, Instant

OPEN_STATUSES = ("pending", "untriggered", "open", "partially_filled")
"""The statuses of an order that can still trade; all others are final, and then nothing is reserved."""


class Order(Base):
    """An order of one broker on one stock. Prices in cents, quantities in shares.

    Always quantity = filled + remaining + cancelled; `cancelled_quantity` counts what expired or was rejected, too, and
    `prevented_quantity` is the part of it that self-trade prevention took. `filled_notional` is the sum of
    price x quantity of its fills (cents). `sequence` is that of the command that brought it; `priority` is its place in
    time within its level, renewed when an amendment or an iceberg's new part loses it.
    `protection_price` is the worst price of an order without a limit: a market buy, or a stop that goes on as one.
    A stop waits at `stop_price` until it is `triggered_at`; an iceberg shows `shown_quantity` of what remains.
    `fingerprint` identifies what was asked for, so that the same `client_order_id` can be told from another order.
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("side IN ('bid', 'ask')", name="side_known"),
        CheckConstraint("order_type IN ('limit', 'market', 'stop', 'stop_limit')", name="order_type_known"),
        CheckConstraint("time_in_force IN ('gtc', 'gtd', 'day', 'ioc', 'fok')", name="time_in_force_known"),
        CheckConstraint(
            "status IN ('pending', 'untriggered', 'open', 'partially_filled', 'filled', 'cancelled', 'expired', "
            "'rejected')",
            name="status_known",
        ),
        CheckConstraint("(order_type IN ('limit', 'stop_limit')) = (price IS NOT NULL)", name="limit_has_price"),
        CheckConstraint("(order_type IN ('stop', 'stop_limit')) = (stop_price IS NOT NULL)", name="stop_has_price"),
        CheckConstraint("stop_price > 0", name="stop_price_positive"),
        CheckConstraint("status <> 'untriggered' OR stop_price IS NOT NULL", name="only_stops_wait"),
        CheckConstraint("display_quantity > 0", name="display_positive"),
        CheckConstraint("shown_quantity >= 0", name="shown_not_negative"),
        CheckConstraint("price > 0", name="price_positive"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint(
            "filled_quantity >= 0 AND remaining_quantity >= 0 AND cancelled_quantity >= 0", name="parts_not_negative"
        ),
        CheckConstraint("quantity = filled_quantity + remaining_quantity + cancelled_quantity", name="parts_add_up"),
        CheckConstraint("prevented_quantity BETWEEN 0 AND cancelled_quantity", name="prevented_is_part_of_cancelled"),
        CheckConstraint("(closed_at IS NULL) = (remaining_quantity > 0)", name="closed_has_nothing_left"),
        CheckConstraint(
            "(closed_at IS NULL) = (status IN ('pending', 'untriggered', 'open', 'partially_filled'))",
            name="closed_is_final",
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
    self_trade_prevention: Mapped[str | None]
    valid_until: Mapped[Instant | None]
    client_order_id: Mapped[str | None]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    reject_code: Mapped[str | None]
    sequence: Mapped[Amount | None]
    priority: Mapped[Amount | None]
    triggered_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    closed_at: Mapped[Instant | None]
