"""Accounts and books have numbers of their own, sums know no end, and a turn is refused by a state of ours.

`account_events` keeps what each broker was told of its orders, numbered without gaps by `balances.account_sequence`.
Fills from before get their numbers here, in the order of their trades; of what else was told nothing had been kept.
`stocks.book_sequence` counts the changes of a book. `cost` and `realised_pnl` are sums of any number of trades, so they
are numeric, whole numbers still. `assets.supply` is how much of an asset was brought in and may be lent: as it is
bounded, no balance can pass 64 bits.
"""

from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FOUND_BY = (["broker_id", "sequence"], ["order_id"])
FOUND_BY_BEFORE = (["buy_order_id"], ["sell_order_id"], ["buyer_id", "id"], ["seller_id", "id"])
"""How the fills of a broker or an order are found, and how they were: as many entries for each trade."""

TOTAL: sa.Numeric[Decimal] = sa.NUMERIC(40, 0)
LARGEST_SUPPLY = 2**62 - 1

FILLS = """
    INSERT INTO account_events (broker_id, sequence, kind, order_id, trade_id, status, price, quantity,
        filled_quantity, remaining_quantity, filled_notional, happened_at)
    SELECT f.broker_id, row_number() OVER (PARTITION BY f.broker_id ORDER BY f.trade_id, f.side), 'ORDER_FILLED',
        f.order_id, f.trade_id, CASE WHEN f.filled = o.filled_quantity THEN o.status ELSE 'partially_filled' END,
        o.price, o.quantity, f.filled, o.quantity - f.filled, f.notional, f.executed_at
    FROM (
        SELECT broker_id, order_id, side, id AS trade_id, executed_at,
            CAST(sum(quantity) OVER so_far AS bigint) AS filled,
            CAST(sum(price * quantity) OVER so_far AS bigint) AS notional
        FROM (
            SELECT buyer_id AS broker_id, buy_order_id AS order_id, 'bid' AS side, id, executed_at, price, quantity
            FROM trades
            UNION ALL
            SELECT seller_id, sell_order_id, 'ask', id, executed_at, price, quantity FROM trades
        ) AS sides
        WINDOW so_far AS (PARTITION BY order_id ORDER BY id)
    ) AS f JOIN orders o ON o.id = f.order_id
"""

COUNT_FILLS = """
    UPDATE balances b SET account_sequence = last.sequence
    FROM (SELECT broker_id, max(sequence) AS sequence FROM account_events GROUP BY broker_id) AS last
    WHERE b.broker_id = last.broker_id AND b.asset_id = 1
"""

COUNT_SUPPLY = """
    UPDATE assets a SET supply = brought.amount
    FROM (
        SELECT a.id, coalesce((
            SELECT sum(CASE t.kind WHEN 'deposit' THEN t.amount ELSE -t.amount END)
            FROM transfers t WHERE t.asset_id = a.id AND t.kind IN ('deposit', 'withdrawal')
        ), 0) + CASE a.kind WHEN 'cash' THEN coalesce((
            SELECT sum(credit_limit) FROM balances b WHERE b.asset_id = a.id
        ), 0) ELSE 0 END AS amount
        FROM assets a
    ) AS brought
    WHERE brought.id = a.id
"""


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION refuse_turn(state text) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the turn does not find what it was worked out from' USING ERRCODE = state;
        END $$
    """)
    op.add_column("stocks", sa.Column("book_sequence", sa.BigInteger, server_default=sa.text("0"), nullable=False))
    op.add_column("balances", sa.Column("account_sequence", sa.BigInteger, server_default=sa.text("0"), nullable=False))
    for column in ("cost", "realised_pnl"):
        op.alter_column("balances", column, type_=TOTAL, existing_nullable=False, existing_server_default=sa.text("0"))
    op.create_table(
        "account_events",
        sa.Column("broker_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("trade_id", sa.BigInteger),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("price", sa.BigInteger),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("filled_quantity", sa.BigInteger, nullable=False),
        sa.Column("remaining_quantity", sa.BigInteger, nullable=False),
        sa.Column("filled_notional", sa.BigInteger, nullable=False),
        sa.Column("event_quantity", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("broker_id", "sequence", name="pk_account_events"),
        sa.CheckConstraint("(kind = 'ORDER_FILLED') = (trade_id IS NOT NULL)", name="fills_have_a_trade"),
    )
    op.execute(FILLS)
    op.execute(COUNT_FILLS)
    for columns in FOUND_BY:
        name = f"ix_account_events_{'_'.join(columns)}_fills"
        op.create_index(name, "account_events", columns, postgresql_where=sa.text("trade_id IS NOT NULL"))
    for columns in FOUND_BY_BEFORE:
        op.drop_index(f"ix_trades_{'_'.join(columns)}", table_name="trades")
    op.add_column("assets", sa.Column("supply", sa.BigInteger, server_default=sa.text("0"), nullable=False))
    op.execute(COUNT_SUPPLY)
    op.create_check_constraint("supply_in_range", "assets", f"supply BETWEEN 0 AND {LARGEST_SUPPLY}")


def downgrade() -> None:
    op.drop_column("assets", "supply")
    op.drop_table("account_events")
    for columns in FOUND_BY_BEFORE:
        op.create_index(f"ix_trades_{'_'.join(columns)}", "trades", columns)
    for column in ("cost", "realised_pnl"):
        op.alter_column(
            "balances", column, type_=sa.BigInteger, existing_nullable=False, existing_server_default=sa.text("0")
        )
    op.drop_column("balances", "account_sequence")
    op.drop_column("stocks", "book_sequence")
    op.execute("DROP FUNCTION refuse_turn(text)")
