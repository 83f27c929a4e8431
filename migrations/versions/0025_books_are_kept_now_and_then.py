"""A book is kept now and then, and orders say since when they have their places: so that a fill can be explained."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "book_checkpoints",
        sa.Column("stock_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("command_sequence", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("sequenced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reference_price", sa.BigInteger, nullable=True),
        sa.Column("last_price", sa.BigInteger, nullable=True),
        sa.Column("order_count", sa.BigInteger, nullable=False),
        sa.Column("orders", sa.Text, nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("stock_id", "command_sequence", name=op.f("pk_book_checkpoints")),
    )


def downgrade() -> None:
    op.drop_table("book_checkpoints")
    op.drop_column("orders", "entered_at")
