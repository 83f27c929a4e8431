"""Deposits and withdrawals have references and costs of their own, and stand at their place among one's own events.

What the shares have cost that came in before follows from what their position costs, what closing it brought, and its
trades: cost - realised = brought in + purchases - sales.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COSTS_SO_FAR = """
    WITH traded AS (
        SELECT broker_id, stock_id, sum(paid) AS paid FROM (
            SELECT buyer_id AS broker_id, stock_id, CAST(price AS numeric) * quantity AS paid FROM trades
            UNION ALL SELECT seller_id, stock_id, -CAST(price AS numeric) * quantity FROM trades
        ) sides GROUP BY 1, 2
    ), external AS (
        SELECT t.id, t.to_broker AS broker_id, t.asset_id,
            row_number() OVER (PARTITION BY t.to_broker, t.asset_id ORDER BY t.id) AS place
        FROM transfers t WHERE t.kind = 'deposit'
    )
    INSERT INTO external_transfers (transfer_id, broker_id, asset_id, account_sequence, cost)
    SELECT e.id, e.broker_id, e.asset_id, 0,
        CASE WHEN e.asset_id = 1 OR e.place > 1 THEN 0 ELSE b.cost - b.realised_pnl - coalesce(t.paid, 0) END
    FROM external e JOIN balances b ON b.broker_id = e.broker_id AND b.asset_id = e.asset_id
    LEFT JOIN traded t ON t.broker_id = e.broker_id AND t.stock_id = e.asset_id
"""

RESET = """
    CREATE OR REPLACE FUNCTION reset_exchange() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {schema}, pg_temp
    SET enable_hashjoin = on
    AS $$
    BEGIN
        PERFORM id FROM stocks ORDER BY id FOR NO KEY UPDATE;
        CREATE TEMPORARY TABLE kept_transfers ON COMMIT DROP AS
        SELECT * FROM transfers WHERE kind IN ('deposit', 'withdrawal');
        TRUNCATE orders, commands, trades, transfers, events, account_events, account_counters;
        INSERT INTO transfers SELECT * FROM pg_temp.kept_transfers ORDER BY id;
        {costs}
        UPDATE balances b
        SET available = coalesce(brought.amount, 0), reserved = 0, open_orders = 0, traded = 0,
            realised_pnl = 0,
            cost = {cost}
        FROM balances same
        LEFT JOIN stocks s ON s.id = same.asset_id
        LEFT JOIN (
            SELECT to_broker AS broker_id, asset_id,
                CAST(sum(CASE kind WHEN 'deposit' THEN amount ELSE -amount END) AS bigint) AS amount
            FROM transfers GROUP BY 1, 2
        ) brought ON brought.broker_id = same.broker_id AND brought.asset_id = same.asset_id
        WHERE b.broker_id = same.broker_id AND b.asset_id = same.asset_id;
        UPDATE stocks
        SET state = 'open', reference_price = listing_price, last_price = NULL, best_bid = NULL, best_ask = NULL,
            state_reason = NULL, state_since = NULL, indicative_price = NULL, indicative_volume = 0,
            indicative_surplus = 0, command_sequence = 0, event_sequence = 0, book_sequence = 0, sequenced_at = NULL,
            book_version = book_version + 1;
        DELETE FROM market_sessions;
    END $$
"""
"""As in 0008, which tells why it is so; what the shares cost is what is written of each deposit and withdrawal."""

PLACES = """
        UPDATE external_transfers x SET account_sequence = 0,
            cost = CASE WHEN x.asset_id = 1 THEN 0
                ELSE (CASE t.kind WHEN 'deposit' THEN 1 ELSE -1 END)
                    * CAST(t.amount AS numeric) * coalesce(s.listing_price, 0) END
        FROM transfers t LEFT JOIN stocks s ON s.id = t.asset_id WHERE t.id = x.transfer_id;
"""
"""The trades are gone between which they stood, and the shares are again worth what they were listed at."""

COST = "coalesce(CAST(brought.amount AS numeric) * s.listing_price, 0)"


def upgrade() -> None:
    op.create_table(
        "external_transfers",
        sa.Column("transfer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("broker_id", sa.BigInteger(), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("account_sequence", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.NUMERIC(40, 0), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_external_transfers")),
    )
    op.execute(COSTS_SO_FAR)
    columns = ["broker_id", "asset_id", "account_sequence", "transfer_id"]
    op.create_index("ix_external_transfers_account", "external_transfers", columns)
    op.create_table(
        "external_references",
        sa.Column("broker_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("answer", JSON(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["broker_id"], ["brokers.id"], name=op.f("fk_external_references_broker_id_brokers")),
        sa.PrimaryKeyConstraint("broker_id", "reference", name=op.f("pk_external_references")),
    )
    op.create_index("ix_transfers_trade_id", "transfers", ["trade_id"], postgresql_where=sa.text("kind = 'trade'"))
    _replace_reset(PLACES)


def downgrade() -> None:
    _replace_reset("")
    op.drop_index("ix_transfers_trade_id", table_name="transfers")
    op.drop_table("external_references")
    op.drop_table("external_transfers")


def _replace_reset(places: str) -> None:
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    op.execute(RESET.format(schema=schema, costs=places, cost=COST))
