"""Where a candle begins and ends is worked out within the statement: a STRICT function is called for each row.

A call takes 4 µs, what it does 0.6, and the reporter asks six times for each trade.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

FUNCTIONS = ("candle_start", "candle_end")


def upgrade() -> None:
    for name in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {name}(timestamptz, bigint, text) CALLED ON NULL INPUT")


def downgrade() -> None:
    for name in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {name}(timestamptz, bigint, text) STRICT")
