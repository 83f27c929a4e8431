"""Balances count open orders, so that a broker can have only so many: that of cash all, another those of the stock.

And the newest fills of an order are found without reading all of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COUNTED = """
    SELECT o.broker_id, a.asset_id, count(*) AS orders
    FROM orders o CROSS JOIN LATERAL (VALUES (CAST(1 AS bigint)), (o.stock_id)) AS a (asset_id)
    WHERE o.closed_at IS NULL GROUP BY o.broker_id, a.asset_id
"""

COUNT = f"""
    INSERT INTO balances AS b (broker_id, asset_id, credit_limit, blocked, open_orders)
    SELECT c.broker_id, c.asset_id, k.short_limit, k.status = 'suspended', c.orders
    FROM ({COUNTED}) AS c JOIN brokers k ON k.id = c.broker_id
    ON CONFLICT (broker_id, asset_id) DO UPDATE SET open_orders = excluded.open_orders
"""  # noqa: S608 - constants of this file
"""Who has only bid for a stock gets a balance of it; that of cash everybody has."""

FILLS = sa.text("trade_id IS NOT NULL")
FILLS_OF_ORDER = "ix_account_events_order_id_sequence_fills"
FILLS_OF_ORDER_BEFORE = "ix_account_events_order_id_fills"


def upgrade() -> None:
    op.execute("LOCK TABLE orders, balances IN SHARE ROW EXCLUSIVE MODE")
    op.add_column("balances", sa.Column("open_orders", sa.BigInteger, server_default=sa.text("0"), nullable=False))
    op.execute(COUNT)
    op.create_check_constraint("open_orders_not_negative", "balances", "open_orders >= 0")
    op.create_index(FILLS_OF_ORDER, "account_events", ["order_id", "sequence"], postgresql_where=FILLS)
    op.drop_index(FILLS_OF_ORDER_BEFORE, table_name="account_events")


def downgrade() -> None:
    op.create_index(FILLS_OF_ORDER_BEFORE, "account_events", ["order_id"], postgresql_where=FILLS)
    op.drop_index(FILLS_OF_ORDER, table_name="account_events")
    op.drop_column("balances", "open_orders")
