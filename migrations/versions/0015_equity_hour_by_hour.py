"""What each broker is worth is written down every hour."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SUMS = ("equity", "cash", "realised_pnl", "unrealised_pnl", "fees", "net_deposits")


def upgrade() -> None:
    op.create_table(
        "equity_points",
        sa.Column("broker_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.NUMERIC(40, 0), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("broker_id", "taken_at", name=op.f("pk_equity_points")),
    )
    op.create_index("ix_equity_points_taken_at", "equity_points", ["taken_at"])


def downgrade() -> None:
    op.drop_table("equity_points")
