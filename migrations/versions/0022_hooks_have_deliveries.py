"""Brokers are told of their trades: hooks, how their receivers fare, and what each was told.

Secrets of before were of no use to anybody, and not of the standard's form: whoever has a url gets a new one, which is
shown when its owner rotates it.
"""

import base64
import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ADD = sa.text("""
    INSERT INTO webhooks (broker_id, url, secret, events, enabled) VALUES (:broker_id, :url, :secret, :events, true)
""")
NOTE_CHANGE = """
    CREATE FUNCTION note_webhook_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE webhook_changes SET version = version + 1;
        RETURN NULL;
    END
    $$
"""
TRIGGER = """
    CREATE TRIGGER webhooks_changed AFTER INSERT OR DELETE OR UPDATE OF enabled, events ON webhooks
    FOR EACH STATEMENT EXECUTE FUNCTION note_webhook_change()
"""
"""Whoever gives a hook another secret does not call it."""

EVENTS = ["trade_executed", "trade_busted", "trade_adjusted"]


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("broker_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("url", "secret", "previous_secret")),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("events", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(url IS NULL) = (secret IS NULL)", name=op.f("ck_webhooks_secret_of_url")),
        sa.CheckConstraint("url IS NOT NULL OR NOT enabled", name=op.f("ck_webhooks_enabled_with_url")),
        sa.CheckConstraint(
            "(previous_secret IS NULL) = (previous_until IS NULL)", name=op.f("ck_webhooks_previous_until")
        ),
        sa.ForeignKeyConstraint(["broker_id"], ["brokers.id"], name=op.f("fk_webhooks_broker_id_brokers")),
        sa.PrimaryKeyConstraint("broker_id", name=op.f("pk_webhooks")),
    )
    op.create_index(
        "ix_webhooks_of_trades",
        "webhooks",
        ["broker_id"],
        postgresql_where=sa.text("enabled AND 'trade_executed' = ANY (events)"),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("broker_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_probed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["broker_id"], ["brokers.id"], name=op.f("fk_webhook_endpoints_broker_id_brokers")),
        sa.PrimaryKeyConstraint("broker_id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "webhook_changes",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_webhook_changes_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_changes")),
    )
    op.execute("INSERT INTO webhook_changes (id) VALUES (1)")
    op.execute(NOTE_CHANGE)
    op.execute(TRIGGER)
    _create_deliveries()
    rows = op.get_bind().execute(sa.text("SELECT id, webhook_url FROM brokers WHERE webhook_url IS NOT NULL"))
    for row in rows.all():
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        values = {"broker_id": row.id, "url": row.webhook_url, "secret": secret, "events": EVENTS}
        op.get_bind().execute(ADD, values)
    op.drop_column("brokers", "webhook_url")
    op.drop_column("brokers", "webhook_secret")


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("broker_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("account_sequence", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'delivered', 'set_aside', 'failed')", name=op.f("ck_webhook_deliveries_status_known")
        ),
        sa.PrimaryKeyConstraint("broker_id", "id", name=op.f("pk_webhook_deliveries")),
    )
    for name, columns, where in (
        ("tests", ["broker_id"], "sequence IS NULL AND status = 'pending'"),
        ("set_aside", ["broker_id", "next_attempt_at"], "status = 'set_aside'"),
    ):
        index = f"ix_webhook_deliveries_{name}"
        op.create_index(index, "webhook_deliveries", columns, postgresql_where=sa.text(where))
    op.add_column(
        "account_counters", sa.Column("webhook_sequence", sa.BigInteger(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("account_counters", "webhook_sequence")
    op.add_column("brokers", sa.Column("webhook_url", sa.Text(), nullable=True))
    op.add_column("brokers", sa.Column("webhook_secret", sa.Text(), server_default="", nullable=False))
    op.alter_column("brokers", "webhook_secret", server_default=None)
    op.execute(
        "UPDATE brokers b SET webhook_url = w.url, webhook_secret = w.secret FROM webhooks w "
        "WHERE w.broker_id = b.id AND w.url IS NOT NULL"
    )
    for name in ("webhook_deliveries", "webhook_endpoints", "webhooks", "webhook_changes"):
        op.drop_table(name)
    op.execute("DROP FUNCTION note_webhook_change()")
