"""Brokers that strangers have made by signing up are known, for they have limits of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("brokers", sa.Column("is_guest", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute("""
        UPDATE brokers SET is_guest = true WHERE id IN (
            SELECT u.broker_id FROM users u JOIN audit_log a ON a.target = 'user:' || u.id AND a.action = 'user.sign_up'
        )
    """)


def downgrade() -> None:
    op.drop_column("brokers", "is_guest")
