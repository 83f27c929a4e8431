"""The exchange opens: brokers, stocks, orders, the inbox, trades, transfers and balances."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "admin_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_admin_keys_key_hash")),
    )
    op.create_table(
        "assets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('cash', 'stock')", name=op.f("ck_assets_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
        sa.UniqueConstraint("code", name=op.f("uq_assets_code")),
    )
    op.execute("INSERT INTO assets (code, kind) VALUES ('cash', 'cash')")
    op.create_table(
        "brokers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("api_key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=True),
        sa.Column("webhook_secret", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("short_limit", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("status IN ('active', 'close_only', 'suspended')", name=op.f("ck_brokers_status_known")),
        sa.CheckConstraint("short_limit >= 0", name=op.f("ck_brokers_short_limit_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brokers")),
        sa.UniqueConstraint("api_key_hash", name=op.f("uq_brokers_api_key_hash")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "balances",
        sa.Column("broker_id", sa.BigInteger(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("credit_limit", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("traded", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cost", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("realised_pnl", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("available >= -credit_limit", name=op.f("ck_balances_within_credit_limit")),
        sa.CheckConstraint("credit_limit >= 0", name=op.f("ck_balances_credit_limit_not_negative")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_balances_reserved_not_negative")),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name=op.f("fk_balances_asset_id_assets")),
        sa.ForeignKeyConstraint(["broker_id"], ["brokers.id"], name=op.f("fk_balances_broker_id_brokers")),
        sa.PrimaryKeyConstraint("broker_id", "asset_id", name=op.f("pk_balances")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "stocks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("tick_size", sa.BigInteger(), nullable=False),
        sa.Column("lot_size", sa.BigInteger(), nullable=False),
        sa.Column("band_bps", sa.BigInteger(), nullable=False),
        sa.Column("execution_price", sa.Text(), nullable=False),
        sa.Column("self_trade_prevention", sa.Text(), nullable=False),
        sa.Column("listing_price", sa.BigInteger(), nullable=True),
        sa.Column("reference_price", sa.BigInteger(), nullable=True),
        sa.Column("last_price", sa.BigInteger(), nullable=True),
        sa.Column("best_bid", sa.BigInteger(), nullable=True),
        sa.Column("best_ask", sa.BigInteger(), nullable=True),
        sa.Column("book_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("command_sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("event_sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sequenced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("execution_price IN ('maker', 'seller')", name=op.f("ck_stocks_execution_price_known")),
        sa.CheckConstraint(
            "self_trade_prevention IN ('none', 'cancel_resting', 'cancel_incoming', 'cancel_both', 'decrement')",
            name=op.f("ck_stocks_self_trade_prevention_known"),
        ),
        sa.CheckConstraint(
            "state IN ('pre_open', 'auction', 'open', 'halted', 'closed')", name=op.f("ck_stocks_state_known")
        ),
        sa.CheckConstraint("tick_size > 0 AND lot_size > 0 AND band_bps >= 0", name=op.f("ck_stocks_rules_in_range")),
        sa.ForeignKeyConstraint(["id"], ["assets.id"], name=op.f("fk_stocks_id_assets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stocks")),
        sa.UniqueConstraint("symbol", name=op.f("uq_stocks_symbol")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "events",
        sa.Column("stock_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["stock_id"], ["stocks.id"], name=op.f("fk_events_stock_id_stocks")),
        sa.PrimaryKeyConstraint("stock_id", "sequence", name=op.f("pk_events")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("broker_id", sa.BigInteger(), nullable=False),
        sa.Column("stock_id", sa.BigInteger(), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("order_type", sa.Text(), nullable=False),
        sa.Column("time_in_force", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("protection_price", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("filled_quantity", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("remaining_quantity", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_quantity", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("filled_notional", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("self_trade_prevention", sa.Text(), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("client_order_id", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("reject_code", sa.Text(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (status IN ('pending', 'open', 'partially_filled'))",
            name=op.f("ck_orders_closed_is_final"),
        ),
        sa.CheckConstraint("(order_type = 'limit') = (price IS NOT NULL)", name=op.f("ck_orders_limit_has_price")),
        sa.CheckConstraint("order_type IN ('limit', 'market')", name=op.f("ck_orders_order_type_known")),
        sa.CheckConstraint("side IN ('bid', 'ask')", name=op.f("ck_orders_side_known")),
        sa.CheckConstraint(
            "status IN ('pending', 'open', 'partially_filled', 'filled', 'cancelled', 'expired', 'rejected')",
            name=op.f("ck_orders_status_known"),
        ),
        sa.CheckConstraint("time_in_force IN ('gtc', 'gtd', 'ioc')", name=op.f("ck_orders_time_in_force_known")),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (remaining_quantity > 0)", name=op.f("ck_orders_closed_has_nothing_left")
        ),
        sa.CheckConstraint(
            "filled_quantity >= 0 AND remaining_quantity >= 0 AND cancelled_quantity >= 0",
            name=op.f("ck_orders_parts_not_negative"),
        ),
        sa.CheckConstraint("price > 0", name=op.f("ck_orders_price_positive")),
        sa.CheckConstraint(
            "quantity = filled_quantity + remaining_quantity + cancelled_quantity", name=op.f("ck_orders_parts_add_up")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_orders_quantity_positive")),
        sa.ForeignKeyConstraint(["broker_id"], ["brokers.id"], name=op.f("fk_orders_broker_id_brokers")),
        sa.ForeignKeyConstraint(["stock_id"], ["stocks.id"], name=op.f("fk_orders_stock_id_stocks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("ix_orders_broker_id_id", "orders", ["broker_id", "id"], unique=False)
    op.create_index(
        "ix_orders_stock_id_open", "orders", ["stock_id"], unique=False, postgresql_where=sa.text("closed_at IS NULL")
    )
    op.create_index(
        "ix_orders_valid_until_open",
        "orders",
        ["valid_until"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL AND valid_until IS NOT NULL"),
    )
    op.create_index(
        "uq_orders_broker_id_client_order_id",
        "orders",
        ["broker_id", "client_order_id"],
        unique=True,
        postgresql_where=sa.text("client_order_id IS NOT NULL"),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("stock_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("broker_id", sa.BigInteger(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("sequenced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("kind = 'expire' OR order_id IS NOT NULL", name=op.f("ck_commands_order_named")),
        sa.CheckConstraint("kind IN ('new', 'cancel', 'amend', 'expire')", name=op.f("ck_commands_kind_known")),
        sa.CheckConstraint("(sequence IS NULL) = (sequenced_at IS NULL)", name=op.f("ck_commands_sequenced_has_time")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_commands_reserved_not_negative")),
        sa.ForeignKeyConstraint(["broker_id"], ["brokers.id"], name=op.f("fk_commands_broker_id_brokers")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_commands_order_id_orders")),
        sa.ForeignKeyConstraint(["stock_id"], ["stocks.id"], name=op.f("fk_commands_stock_id_stocks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "ix_commands_stock_id_id_unsequenced",
        "commands",
        ["stock_id", "id"],
        unique=False,
        postgresql_where=sa.text("sequence IS NULL"),
    )
    op.create_index(
        "uq_commands_order_id_waiting_amendment",
        "commands",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("sequence IS NULL AND kind = 'amend'"),
    )
    op.create_index(
        "uq_commands_stock_id_sequence",
        "commands",
        ["stock_id", "sequence"],
        unique=True,
        postgresql_where=sa.text("sequence IS NOT NULL"),
    )
    op.create_table(
        "trades",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("stock_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("command_sequence", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("aggressor_side", sa.Text(), nullable=False),
        sa.Column("buy_order_id", sa.BigInteger(), nullable=False),
        sa.Column("sell_order_id", sa.BigInteger(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("busted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("aggressor_side IN ('bid', 'ask')", name=op.f("ck_trades_aggressor_side_known")),
        sa.CheckConstraint("price > 0 AND quantity > 0", name=op.f("ck_trades_positive")),
        sa.ForeignKeyConstraint(["buy_order_id"], ["orders.id"], name=op.f("fk_trades_buy_order_id_orders")),
        sa.ForeignKeyConstraint(["buyer_id"], ["brokers.id"], name=op.f("fk_trades_buyer_id_brokers")),
        sa.ForeignKeyConstraint(["sell_order_id"], ["orders.id"], name=op.f("fk_trades_sell_order_id_orders")),
        sa.ForeignKeyConstraint(["seller_id"], ["brokers.id"], name=op.f("fk_trades_seller_id_brokers")),
        sa.ForeignKeyConstraint(["stock_id"], ["stocks.id"], name=op.f("fk_trades_stock_id_stocks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trades")),
    )
    op.create_index("ix_trades_buy_order_id", "trades", ["buy_order_id"], unique=False)
    op.create_index("ix_trades_buyer_id_id", "trades", ["buyer_id", "id"], unique=False)
    op.create_index("ix_trades_sell_order_id", "trades", ["sell_order_id"], unique=False)
    op.create_index("ix_trades_seller_id_id", "trades", ["seller_id", "id"], unique=False)
    op.create_index("uq_trades_stock_id_sequence", "trades", ["stock_id", "sequence"], unique=True)
    op.create_table(
        "transfers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("from_broker", sa.BigInteger(), nullable=False),
        sa.Column("from_bucket", sa.Text(), nullable=False),
        sa.Column("to_broker", sa.BigInteger(), nullable=False),
        sa.Column("to_bucket", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("trade_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "from_bucket IN ('available', 'reserved', 'outside')", name=op.f("ck_transfers_from_bucket_known")
        ),
        sa.CheckConstraint(
            "kind IN ('deposit', 'withdrawal', 'reserve', 'release', 'improvement', 'trade')",
            name=op.f("ck_transfers_kind_known"),
        ),
        sa.CheckConstraint(
            "to_bucket IN ('available', 'reserved', 'outside')", name=op.f("ck_transfers_to_bucket_known")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_transfers_amount_positive")),
        sa.CheckConstraint(
            "from_broker <> to_broker OR from_bucket <> to_bucket", name=op.f("ck_transfers_moves_something")
        ),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name=op.f("fk_transfers_asset_id_assets")),
        sa.ForeignKeyConstraint(["from_broker"], ["brokers.id"], name=op.f("fk_transfers_from_broker_brokers")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_transfers_order_id_orders")),
        sa.ForeignKeyConstraint(["to_broker"], ["brokers.id"], name=op.f("fk_transfers_to_broker_brokers")),
        sa.ForeignKeyConstraint(["trade_id"], ["trades.id"], name=op.f("fk_transfers_trade_id_trades")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
    )


def downgrade() -> None:
    op.drop_table("transfers")
    op.drop_index("uq_trades_stock_id_sequence", table_name="trades")
    op.drop_index("ix_trades_seller_id_id", table_name="trades")
    op.drop_index("ix_trades_sell_order_id", table_name="trades")
    op.drop_index("ix_trades_buyer_id_id", table_name="trades")
    op.drop_index("ix_trades_buy_order_id", table_name="trades")
    op.drop_table("trades")
    op.drop_index(
        "uq_commands_stock_id_sequence", table_name="commands", postgresql_where=sa.text("sequence IS NOT NULL")
    )
    op.drop_index(
        "uq_commands_order_id_waiting_amendment",
        table_name="commands",
        postgresql_where=sa.text("sequence IS NULL AND kind = 'amend'"),
    )
    op.drop_index(
        "ix_commands_stock_id_id_unsequenced", table_name="commands", postgresql_where=sa.text("sequence IS NULL")
    )
    op.drop_table("commands")
    op.drop_index(
        "uq_orders_broker_id_client_order_id",
        table_name="orders",
        postgresql_where=sa.text("client_order_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_orders_valid_until_open",
        table_name="orders",
        postgresql_where=sa.text("closed_at IS NULL AND valid_until IS NOT NULL"),
    )
    op.drop_index("ix_orders_stock_id_open", table_name="orders", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_orders_broker_id_id", table_name="orders")
    op.drop_table("orders")
    op.drop_table("events")
    op.drop_table("stocks")
    op.drop_table("balances")
    op.drop_table("leases")
    op.drop_table("brokers")
    op.drop_table("assets")
    op.drop_table("admin_keys")
