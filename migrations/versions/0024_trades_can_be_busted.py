"""Trades can be busted: what was asked for and done, who owes what since, and the account that guarantees it.

Whatever an indebted account gets repays first. That is a trigger, not a task of whoever changes a balance: no way in
can forget it. Both triggers are deferred to the COMMIT, so that the guarantee account is locked behind all others.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

WITHIN_LIMITS = "available >= -credit_limit AND reserved >= 0 AND credit_limit >= 0 AND open_orders >= 0"

REPAY = """
    CREATE FUNCTION repay_first() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        repaid bigint;
        entry bigint;
        guarantee bigint;
    BEGIN
        SELECT least(CAST(b.owed AS numeric), CAST(b.available AS numeric) + b.credit_limit) INTO repaid
        FROM balances b WHERE b.broker_id = NEW.broker_id AND b.asset_id = NEW.asset_id;
        IF repaid IS NULL OR repaid <= 0 THEN
            RETURN NULL;
        END IF;
        SELECT id INTO STRICT guarantee FROM brokers WHERE id < 0 AND name = 'Guarantee';
        UPDATE balances SET available = available - repaid, owed = owed - repaid
        WHERE broker_id = NEW.broker_id AND asset_id = NEW.asset_id;
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket)
        VALUES ('repayment', NEW.asset_id, repaid, NEW.broker_id, 'available', guarantee, 'available')
        RETURNING id INTO entry;
        INSERT INTO receivable_entries (transfer_id, broker_id, asset_id, account_sequence, amount)
        VALUES (entry, NEW.broker_id, NEW.asset_id, coalesce(
            (SELECT sequence FROM account_counters WHERE broker_id = NEW.broker_id), 0
        ), -repaid);
        RETURN NULL;
    END
    $$
"""
REPAYS = """
    CREATE CONSTRAINT TRIGGER balances_repay AFTER UPDATE OF available, credit_limit ON balances
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.owed > 0 AND NEW.available > -NEW.credit_limit)
    EXECUTE FUNCTION repay_first()
"""

BOOK = """
    CREATE FUNCTION book_receivable() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended('guarantee', 0));
        INSERT INTO balances AS b (broker_id, asset_id, available, credit_limit)
        SELECT id, NEW.asset_id, -NEW.amount, 4611686018427387903 FROM brokers WHERE id < 0 AND name = 'Guarantee'
        ON CONFLICT (broker_id, asset_id) DO UPDATE SET available = b.available + excluded.available;
        RETURN NULL;
    END
    $$
"""
BOOKED = """
    CREATE CONSTRAINT TRIGGER receivable_entries_booked AFTER INSERT ON receivable_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION book_receivable()
"""
"""The guarantee account may go short as far as `[clearing] guarantee_limit` says, which a bust looks at."""


RESET = """
    CREATE FUNCTION reset_clearing() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {schema}, pg_temp
    AS $$
    BEGIN
        TRUNCATE busts, receivable_entries, position_points, verdicts;
        UPDATE judged_stocks SET sequence = 0, state = 'open';
        UPDATE balances SET owed = 0 WHERE owed > 0;
        UPDATE balances b SET blocked = false FROM brokers k WHERE k.id = b.broker_id AND k.status = 'close_only';
        UPDATE brokers SET status = 'active' WHERE status = 'close_only';
    END $$
"""
"""What a sandbox's `reset_exchange` leaves of clearing; likewise granted only where `debug`, and called behind it."""


def upgrade() -> None:
    op.add_column("trades", sa.Column("adjusted_price", sa.BigInteger(), nullable=True))
    op.add_column("account_events", sa.Column("bust_id", sa.BigInteger(), nullable=True))
    op.add_column("balances", sa.Column("owed", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_constraint(op.f("ck_balances_within_limits"), "balances")
    op.create_check_constraint(op.f("ck_balances_within_limits"), "balances", f"{WITHIN_LIMITS} AND owed >= 0")
    op.create_index("ix_balances_owed", "balances", ["broker_id", "asset_id"], postgresql_where=sa.text("owed > 0"))
    op.create_index(
        "ix_transfers_trade_id_busts",
        "transfers",
        ["trade_id"],
        postgresql_where=sa.text("kind IN ('bust', 'adjustment', 'fee_refund')"),
    )
    op.create_index("ix_brokers_close_only", "brokers", ["id"], postgresql_where=sa.text("status = 'close_only'"))
    op.create_check_constraint(op.f("ck_trades_adjusted_price"), "trades", "adjusted_price > 0")
    _create_busts()
    op.execute("CREATE SEQUENCE bust_ranges_id_seq")
    op.create_table(
        "receivable_entries",
        sa.Column("transfer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("broker_id", "asset_id", "account_sequence", "amount")
        ),
        sa.Column("trade_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_receivable_entries_amount_not_zero")),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_receivable_entries")),
    )
    op.create_index(
        "ix_receivable_entries_account",
        "receivable_entries",
        ["broker_id", "asset_id", "account_sequence", "transfer_id"],
    )
    op.create_table(
        "position_points",
        *(
            sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)
            for name in ("broker_id", "asset_id", "sequence", "transfer_id")
        ),
        sa.Column("net", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Numeric(40, 0), nullable=False) for name in ("cost", "realised_pnl")),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("broker_id", "asset_id", "sequence", "transfer_id", name=op.f("pk_position_points")),
    )
    op.create_index("ix_position_points_taken_at", "position_points", ["taken_at"])
    _create_verdicts()
    op.execute("INSERT INTO brokers (id, name) SELECT least(min(id), 0) - 1, 'Guarantee' FROM brokers")
    for statement in (REPAY, REPAYS, BOOK, BOOKED):
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    op.execute(RESET.format(schema=schema))
    op.execute("REVOKE ALL ON FUNCTION reset_clearing() FROM PUBLIC")


def _create_verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("trade_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stock_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("broken", postgresql.JSON(), nullable=False),
        sa.Column(
            "flagged_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("stands_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("stands_by_name", "stands_reason")),
        sa.PrimaryKeyConstraint("trade_id", name=op.f("pk_verdicts")),
    )
    op.create_index(
        "ix_verdicts_trade_id_waiting", "verdicts", ["trade_id"], postgresql_where=sa.text("stands_at IS NULL")
    )
    op.create_table(
        "judged_stocks",
        sa.Column("stock_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["stock_id"], ["stocks.id"], name=op.f("fk_judged_stocks_stock_id_stocks")),
        sa.PrimaryKeyConstraint("stock_id", name=op.f("pk_judged_stocks")),
    )
    op.execute("INSERT INTO judged_stocks SELECT id, event_sequence, state FROM stocks")


def _create_busts() -> None:
    texts = ("refusal", "rule", "confirmed_by_name", "rejected_by_name", "rejection")
    numbers = ("new_price", "range_id", "asked_by", "confirmed_by", "command_sequence", "event_sequence", "last_price")
    times = ("confirmed_at", "rejected_at", "done_at")
    statuses = "'requested', 'needs_confirmation', 'waiting_for_guarantee', 'done'"
    op.create_table(
        "busts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("trade_id", "stock_id", "notional")),
        sa.Column("status", sa.Text(), server_default=sa.text("'requested'"), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "asked_by_name")),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in numbers),
        *(sa.Column(name, sa.Text(), nullable=True) for name in texts),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in times),
        sa.Column("shortfalls", postgresql.JSON(), server_default=sa.text("'[]'"), nullable=False),
        sa.CheckConstraint(f"status IN ({statuses}, 'rejected', 'expired')", name=op.f("ck_busts_status_known")),
        sa.CheckConstraint("confirmed_by IS NULL OR confirmed_by <> asked_by", name=op.f("ck_busts_second_person")),
        sa.CheckConstraint("status <> 'done' OR command_sequence IS NOT NULL", name=op.f("ck_busts_done_by_a_command")),
        sa.CheckConstraint("new_price > 0", name=op.f("ck_busts_price_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_busts")),
    )
    op.create_index(
        "uq_busts_trade_id_live",
        "busts",
        ["trade_id"],
        unique=True,
        postgresql_where=sa.text(f"status IN ({statuses})"),
    )
    op.create_index(
        "ix_busts_status",
        "busts",
        ["status"],
        postgresql_where=sa.text("status NOT IN ('done', 'rejected', 'expired')"),
    )
    op.create_index("ix_busts_asked_at", "busts", ["asked_at"])
    op.create_index("ix_busts_stock_id_command_sequence", "busts", ["stock_id", "command_sequence"])


def downgrade() -> None:
    for table, trigger in (("receivable_entries", "receivable_entries_booked"), ("balances", "balances_repay")):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    for function in ("reset_clearing()", "book_receivable()", "repay_first()"):
        op.execute(f"DROP FUNCTION {function}")
    for table in ("judged_stocks", "verdicts", "position_points", "receivable_entries", "busts"):
        op.drop_table(table)
    op.execute("DROP SEQUENCE bust_ranges_id_seq")
    op.execute("DELETE FROM balances b USING brokers k WHERE k.id = b.broker_id AND k.id < 0 AND k.name = 'Guarantee'")
    op.execute("DELETE FROM brokers WHERE id < 0 AND name = 'Guarantee'")
    op.drop_index("ix_brokers_close_only", "brokers")
    op.drop_index("ix_transfers_trade_id_busts", "transfers")
    op.drop_index("ix_balances_owed", "balances")
    op.drop_constraint(op.f("ck_balances_within_limits"), "balances")
    op.create_check_constraint(op.f("ck_balances_within_limits"), "balances", WITHIN_LIMITS)
    op.drop_column("balances", "owed")
    op.drop_column("account_events", "bust_id")
    op.drop_constraint(op.f("ck_trades_adjusted_price"), "trades")
    op.drop_column("trades", "adjusted_price")
