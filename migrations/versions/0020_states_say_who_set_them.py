"""A stock's state says who set it, an order why it was cancelled, and an auction's indicative prices are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stocks", sa.Column("state_set_by", sa.Text(), nullable=True))
    op.alter_column("orders", "reject_code", new_column_name="close_reason")
    op.create_table(
        "indicatives",
        sa.Column("stock_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("command_sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.Column("surplus", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("stock_id", "command_sequence", name=op.f("pk_indicatives")),
    )


def downgrade() -> None:
    op.drop_table("indicatives")
    op.execute("UPDATE orders SET close_reason = NULL WHERE status <> 'rejected' AND close_reason IS NOT NULL")
    op.alter_column("orders", "close_reason", new_column_name="reject_code")
    op.drop_column("stocks", "state_set_by")
