"""What the market did is kept as figures: candles, how far the reporter has come, and since when a session runs.

An exchange has an epoch, a word that is made with its database: numbers of another epoch say nothing in this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

START = """
    CREATE FUNCTION candle_start(moment timestamptz, seconds bigint, zone text) RETURNS timestamptz
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
        SELECT CASE
            WHEN seconds < 86400 THEN date_bin(seconds * interval '1 second', moment, 'epoch'::timestamptz)
            WHEN (date_trunc('day', moment, zone) - interval '1 hour') AT TIME ZONE zone
                >= date_trunc('day', moment AT TIME ZONE zone)
                THEN date_trunc('day', moment, zone) - interval '1 hour'
            ELSE date_trunc('day', moment, zone)
        END
    $$
"""
"""Up to an hour candles begin with UTC; a day is the market's own. Where its clocks show midnight twice, PostgreSQL
takes the second one for the day's beginning."""

END = """
    CREATE FUNCTION candle_end(start timestamptz, seconds bigint, zone text) RETURNS timestamptz
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
        SELECT CASE
            WHEN seconds < 86400 THEN start + seconds * interval '1 second'
            ELSE candle_start(start + interval '26 hours', seconds, zone)
        END
    $$
"""
"""A day has 23 to 25 hours, so 26 hours after it began the next one has."""

QUANTITIES = """
    UPDATE stocks s SET {price}_quantity = (
        SELECT sum(coalesce(o.shown_quantity, o.remaining_quantity)) FROM orders o
        WHERE o.stock_id = s.id AND o.side = '{side}' AND o.price = s.{price} AND o.closed_at IS NULL
            AND o.status NOT IN ('pending', 'untriggered')
    )
"""

ADDED = (
    *("best_bid_quantity", "best_ask_quantity"),
    *("session_reference", "session_began_at", "session_sequence"),
)

WORD = "left(replace(CAST(gen_random_uuid() AS text), '-', ''), 12)"


def upgrade() -> None:
    op.execute(START)
    op.execute(END)
    now = sa.text("clock_timestamp()")
    op.create_table(
        "epochs",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("word", sa.Text(), server_default=sa.text(WORD), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_epochs_one_at_a_time")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epochs")),
    )
    op.execute("INSERT INTO epochs (id) VALUES (1)")
    op.add_column("stocks", sa.Column("session_sequence", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column(
        "stocks", sa.Column("session_began_at", sa.DateTime(timezone=True), server_default=now, nullable=False)
    )
    op.add_column("stocks", sa.Column("session_reference", sa.BigInteger(), nullable=True))
    op.execute("UPDATE stocks SET session_sequence = event_sequence, session_reference = reference_price")
    for side, price in (("bid", "best_bid"), ("ask", "best_ask")):
        op.add_column("stocks", sa.Column(f"{price}_quantity", sa.BigInteger(), nullable=True))
        op.execute(QUANTITIES.format(side=side, price=price))
    op.create_index(
        "ix_events_stock_id_sequence_corrections",
        "events",
        ["stock_id", "sequence"],
        postgresql_where=sa.text("kind IN ('TRADE_BUSTED', 'TRADE_ADJUSTED')"),
    )
    _create_figures()


def _create_figures() -> None:
    amounts = ("open", "high", "low", "close")
    op.create_table(
        "candles",
        sa.Column("stock_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seconds", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in amounts),
        *(sa.Column(name, sa.NUMERIC(40, 0), nullable=False) for name in ("volume", "turnover")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("trades", "first_sequence", "last_sequence")),
        sa.PrimaryKeyConstraint("stock_id", "seconds", "start", name=op.f("pk_candles")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "reported_stocks",
        sa.Column("stock_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("session_sequence", sa.BigInteger(), server_default="0", nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in amounts),
        *(sa.Column(name, sa.NUMERIC(40, 0), server_default="0", nullable=False) for name in ("volume", "turnover")),
        sa.Column("trades", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("is_auction", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("stock_id", name=op.f("pk_reported_stocks")),
        postgresql_with={"fillfactor": "50"},
    )


def downgrade() -> None:
    op.drop_table("reported_stocks")
    op.drop_table("candles")
    op.drop_index("ix_events_stock_id_sequence_corrections", "events")
    for name in ADDED:
        op.drop_column("stocks", name)
    op.drop_table("epochs")
    op.execute("DROP FUNCTION candle_end(timestamptz, bigint, text)")
    op.execute("DROP FUNCTION candle_start(timestamptz, bigint, text)")
