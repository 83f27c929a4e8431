"""A broker has as many keys as it makes, each with its scopes, an end, and places from which it may be used.

The key that a broker has had goes on, with every scope; how it begins is not known any more.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOVE = """
    INSERT INTO api_keys (broker_id, prefix, key_hash, name, scopes, created_at)
    SELECT id, 'mx_', api_key_hash, 'first key', ARRAY['read', 'trade', 'cancel'], created_at FROM brokers ORDER BY id
"""

MOVE_BACK = """
    UPDATE brokers b SET api_key_hash = coalesce(
        (SELECT k.key_hash FROM api_keys k
            WHERE k.broker_id = b.id AND cardinality(k.scopes) = 3 AND k.allowed_addresses IS NULL
                AND k.revoked_at IS NULL AND k.expires_at IS NULL
            ORDER BY k.id DESC LIMIT 1),
        convert_to('no key of broker ' || b.id, 'UTF8'))
"""
"""One key is left: the newest that may do everything. A broker without such a one has none; no hash is that short."""


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("broker_id", sa.BigInteger(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        sa.Column("allowed_addresses", ARRAY(sa.Text()), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "scopes <@ ARRAY['read', 'trade', 'cancel'] AND cardinality(scopes) > 0",
            name=op.f("ck_api_keys_scopes_known"),
        ),
        sa.CheckConstraint("cardinality(allowed_addresses) > 0", name=op.f("ck_api_keys_some_address_allowed")),
        sa.ForeignKeyConstraint(["broker_id"], ["brokers.id"], name=op.f("fk_api_keys_broker_id_brokers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index("ix_api_keys_broker_id", "api_keys", ["broker_id", "id"])
    op.execute(MOVE)
    op.drop_column("brokers", "api_key_hash")


def downgrade() -> None:
    op.add_column("brokers", sa.Column("api_key_hash", sa.LargeBinary(), nullable=True))
    op.execute(MOVE_BACK)
    op.alter_column("brokers", "api_key_hash", nullable=False)
    op.create_unique_constraint(op.f("uq_brokers_api_key_hash"), "brokers", ["api_key_hash"])
    op.drop_table("api_keys")
