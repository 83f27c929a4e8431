"""A stock can be delisted: a state that none follows."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

LISTED = "'pre_open', 'auction', 'open', 'halted', 'closed'"


def upgrade() -> None:
    _allow(f"{LISTED}, 'delisted'")


def downgrade() -> None:
    op.execute("UPDATE stocks SET state = 'closed' WHERE state = 'delisted'")
    _allow(LISTED)


def _allow(states: str) -> None:
    op.drop_constraint(op.f("ck_stocks_state_known"), "stocks")
    op.create_check_constraint(op.f("ck_stocks_state_known"), "stocks", f"state IN ({states})")
