"""What the exchange writes about orders refers to them without foreign keys: `minex verify` checks it instead.

An order cost a dozen checks and a trade twenty, half of PostgreSQL's time, and each locked the row that it found. The
rows are written together with what they refer to, by statements of the exchange alone; see docs/decisions.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REFERENCES = (
    ("orders", "broker_id", "brokers"),
    ("orders", "stock_id", "stocks"),
    ("commands", "stock_id", "stocks"),
    ("commands", "order_id", "orders"),
    ("commands", "broker_id", "brokers"),
    ("trades", "stock_id", "stocks"),
    ("trades", "buy_order_id", "orders"),
    ("trades", "sell_order_id", "orders"),
    ("trades", "buyer_id", "brokers"),
    ("trades", "seller_id", "brokers"),
    ("transfers", "asset_id", "assets"),
    ("transfers", "from_broker", "brokers"),
    ("transfers", "to_broker", "brokers"),
    ("transfers", "order_id", "orders"),
    ("transfers", "trade_id", "trades"),
    ("events", "stock_id", "stocks"),
)


def upgrade() -> None:
    for table, column, referred in REFERENCES:
        op.drop_constraint(f"fk_{table}_{column}_{referred}", table, type_="foreignkey")


def downgrade() -> None:
    for table, column, referred in REFERENCES:
        op.create_foreign_key(f"fk_{table}_{column}_{referred}", table, referred, [column], ["id"])
