"""Orders pay fees, into accounts of the exchange; a trade says whether it is of an auction's end.

The exchange has an account for each group of stocks. Of the trades so far, those of a command that ended an auction are
of the auction, but for what stops did that were elected by it.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NOUGHT = sa.text("0")
ADDED: tuple[tuple[str, str, Any, Any], ...] = (
    ("brokers", "maker_bps", sa.BigInteger(), None),
    ("brokers", "taker_bps", sa.BigInteger(), None),
    ("brokers", "turnover_30d", sa.NUMERIC(40, 0), NOUGHT),
    ("brokers", "fee_version", sa.BigInteger(), NOUGHT),
    ("balances", "fee_version", sa.BigInteger(), NOUGHT),
    ("stocks", "fee_account", sa.BigInteger(), None),
    ("orders", "maker_bps", sa.BigInteger(), None),
    ("orders", "taker_bps", sa.BigInteger(), None),
    ("orders", "maker_notional", sa.BigInteger(), None),
    ("trades", "is_auction", sa.Boolean(), sa.text("false")),
    ("account_events", "fee", sa.BigInteger(), None),
)
"""Table, column, type, default; null where there is none."""

OPEN_ACCOUNTS = """
    INSERT INTO brokers (id, name, webhook_secret)
    SELECT least((SELECT min(id) FROM brokers), 0) - row_number() OVER (ORDER BY group_name), 'Fees of ' || group_name,
        ''
    FROM (SELECT DISTINCT group_name FROM stocks) groups
"""
NAME_ACCOUNTS = """
    UPDATE stocks s SET fee_account = k.id FROM brokers k WHERE k.id < 0 AND k.name = 'Fees of ' || s.group_name
"""
FIND_AUCTIONS = """
    UPDATE trades t SET is_auction = true FROM commands c
    WHERE c.stock_id = t.stock_id AND c.sequence = t.command_sequence AND c.kind IN ('state', 'uncross')
        AND NOT EXISTS (
            SELECT FROM orders o WHERE o.id IN (t.buy_order_id, t.sell_order_id) AND o.triggered_at = t.executed_at
        )
"""


def upgrade() -> None:
    for table, name, kind, default in ADDED:
        op.add_column(table, sa.Column(name, kind, server_default=default, nullable=default is None))
    op.create_check_constraint(
        op.f("ck_brokers_fees"),
        "brokers",
        "least(maker_bps, taker_bps) >= 0 AND greatest(maker_bps, taker_bps) <= 1000",
    )
    where = sa.text("id < 0")
    op.create_index("uq_brokers_name_own", "brokers", ["name"], unique=True, postgresql_where=where)
    op.execute(OPEN_ACCOUNTS)
    op.execute(NAME_ACCOUNTS)
    op.alter_column("stocks", "fee_account", nullable=False)
    op.execute(FIND_AUCTIONS)


def downgrade() -> None:
    op.drop_index("uq_brokers_name_own", table_name="brokers")
    op.drop_constraint(op.f("ck_brokers_fees"), "brokers")
    for table, name, _, _ in ADDED:
        op.drop_column(table, name)
    op.execute("DELETE FROM brokers WHERE id < 0 AND id NOT IN (SELECT broker_id FROM balances)")
