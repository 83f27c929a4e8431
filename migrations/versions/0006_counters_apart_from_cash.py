"""What numbers a broker's account events is apart from its cash.

`account_counters` takes the place of `balances.account_sequence`: a turn raises it for every order that it takes, and
on the cash balance it kept those waiting who placed the next one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TAKE_OVER = """
    INSERT INTO account_counters (broker_id, sequence)
    SELECT broker_id, account_sequence FROM balances WHERE asset_id = 1 AND account_sequence > 0
"""

GIVE_BACK = """
    UPDATE balances b SET account_sequence = c.sequence
    FROM account_counters c WHERE b.broker_id = c.broker_id AND b.asset_id = 1
"""


def upgrade() -> None:
    op.create_table(
        "account_counters",
        sa.Column("broker_id", sa.BigInteger, sa.ForeignKey("brokers.id"), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("broker_id", name="pk_account_counters"),
        postgresql_with={"fillfactor": "20"},
    )
    op.execute(TAKE_OVER)
    op.drop_column("balances", "account_sequence")


def downgrade() -> None:
    op.add_column("balances", sa.Column("account_sequence", sa.BigInteger, server_default=sa.text("0"), nullable=False))
    op.execute(GIVE_BACK)
    op.drop_table("account_counters")
