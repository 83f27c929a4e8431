"""Every rule of the market: stops, icebergs, post-only, DAY and FOK, states and auctions, schedules, switches."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATUSES = "'open', 'partially_filled', 'filled', 'cancelled', 'expired', 'rejected'"
OPEN = "(closed_at IS NULL) = (status IN ('pending', {}'open', 'partially_filled'))"
CHECKS = (
    (
        ("orders", "order_type_known"),
        "order_type IN ('limit', 'market')",
        "order_type IN ('limit', 'market', 'stop', 'stop_limit')",
    ),
    (
        ("orders", "time_in_force_known"),
        "time_in_force IN ('gtc', 'gtd', 'ioc')",
        "time_in_force IN ('gtc', 'gtd', 'day', 'ioc', 'fok')",
    ),
    (
        ("orders", "status_known"),
        f"status IN ('pending', {STATUSES})",
        f"status IN ('pending', 'untriggered', {STATUSES})",
    ),
    (
        ("orders", "limit_has_price"),
        "(order_type = 'limit') = (price IS NOT NULL)",
        "(order_type IN ('limit', 'stop_limit')) = (price IS NOT NULL)",
    ),
    (("orders", "closed_is_final"), OPEN.format(""), OPEN.format("'untriggered', ")),
    (
        ("commands", "kind_known"),
        "kind IN ('new', 'cancel', 'amend', 'expire')",
        "kind IN ('new', 'cancel', 'amend', 'expire', 'state', 'uncross', 'roll')",
    ),
    (
        ("commands", "order_named"),
        "kind = 'expire' OR order_id IS NOT NULL",
        "kind NOT IN ('new', 'cancel', 'amend') OR order_id IS NOT NULL",
    ),
    (
        ("stocks", "rules_in_range"),
        "tick_size > 0 AND lot_size > 0 AND band_bps >= 0",
        "tick_size > 0 AND lot_size > 0 AND band_bps >= 0 AND dynamic_band_bps >= 0",
    ),
)
"""Rules that are said anew: (table, name), what they were, what they are."""

NEW_CHECKS = (
    ("orders", "stop_has_price", "(order_type IN ('stop', 'stop_limit')) = (stop_price IS NOT NULL)"),
    ("orders", "stop_price_positive", "stop_price > 0"),
    ("orders", "only_stops_wait", "status <> 'untriggered' OR stop_price IS NOT NULL"),
    ("orders", "display_positive", "display_quantity > 0"),
    ("orders", "shown_not_negative", "shown_quantity >= 0"),
    ("orders", "prevented_is_part_of_cancelled", "prevented_quantity BETWEEN 0 AND cancelled_quantity"),
    ("stocks", "band_reference_known", "band_reference IN ('session', 'last')"),
)

COLUMNS = (
    ("orders", "stop_price", sa.BigInteger(), None),
    ("orders", "display_quantity", sa.BigInteger(), None),
    ("orders", "shown_quantity", sa.BigInteger(), None),
    ("orders", "post_only", sa.Boolean(), "false"),
    ("orders", "prevented_quantity", sa.BigInteger(), "0"),
    ("orders", "triggered_at", sa.DateTime(timezone=True), None),
    ("stocks", "market", sa.Text(), "'main'"),
    ("stocks", "state_reason", sa.Text(), None),
    ("stocks", "state_since", sa.DateTime(timezone=True), None),
    ("stocks", "indicative_price", sa.BigInteger(), None),
    ("stocks", "indicative_volume", sa.BigInteger(), "0"),
    ("stocks", "indicative_surplus", sa.BigInteger(), "0"),
    ("stocks", "band_reference", sa.Text(), "'session'"),
    ("stocks", "dynamic_band_bps", sa.BigInteger(), "0"),
    ("trades", "reference_price", sa.BigInteger(), None),
    ("brokers", "cancel_after", sa.DateTime(timezone=True), None),
    ("balances", "blocked", sa.Boolean(), "false"),
)
"""Table, name, type, and the default of those that are never null."""

REFERENCES = """
    UPDATE trades t SET reference_price = coalesce(
        s.listing_price, CASE WHEN t.command_sequence > first.command_sequence THEN first.price END
    )
    FROM stocks s LEFT JOIN LATERAL (
        SELECT price, command_sequence FROM trades WHERE stock_id = s.id ORDER BY sequence LIMIT 1
    ) AS first ON true
    WHERE s.id = t.stock_id
"""
"""Until now a stock's reference was its listing price, or without one the price of its first trade from then on."""


def upgrade() -> None:
    for table, name, kind, default in COLUMNS:
        op.add_column(
            table,
            sa.Column(name, kind, server_default=None if default is None else sa.text(default), nullable=not default),
        )
    op.execute(REFERENCES)
    for (table, name), _, holds in CHECKS:
        _say_anew(table, name, holds)
    for table, name, holds in NEW_CHECKS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, holds)
    op.create_index(
        "ix_orders_stock_id_broker_id_open",
        "orders",
        ["stock_id", "broker_id"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_index("ix_orders_stock_id_open", table_name="orders")
    op.create_index(
        "ix_brokers_cancel_after", "brokers", ["cancel_after"], postgresql_where=sa.text("cancel_after IS NOT NULL")
    )
    op.create_index(
        "ix_stocks_state_since_volatility",
        "stocks",
        ["state_since"],
        postgresql_where=sa.text("state_reason = 'volatility'"),
    )
    op.create_table(
        "market_sessions",
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_phase", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("next_at >= began_at", name=op.f("ck_market_sessions_goes_forward")),
        sa.PrimaryKeyConstraint("market", name=op.f("pk_market_sessions")),
    )


def downgrade() -> None:
    """Refused by the database while it has orders or commands that the older rules do not know."""
    op.drop_table("market_sessions")
    op.drop_index("ix_stocks_state_since_volatility", table_name="stocks")
    op.drop_index("ix_brokers_cancel_after", table_name="brokers")
    op.create_index("ix_orders_stock_id_open", "orders", ["stock_id"], postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_orders_stock_id_broker_id_open", table_name="orders")
    for table, name, _ in NEW_CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    for (table, name), held, _ in CHECKS:
        _say_anew(table, name, held)
    for table, name, _, _ in reversed(COLUMNS):
        op.drop_column(table, name)


def _say_anew(table: str, name: str, holds: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, holds)
