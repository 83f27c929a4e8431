"""Funds are given in order of arrival by the statement that reserves them: the aggregate that walks through the orders.

`granted_in_turn(amount, funds)`, over an account's orders in their order, is what has been granted so far: each order
gets its amount if the funds still allow it, and is passed over if they do not. Cents or shares.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION grant_next(granted bigint, amount bigint, funds bigint) RETURNS bigint
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
        BEGIN
            RETURN granted + CASE WHEN amount <= funds - granted THEN amount ELSE 0 END;
        END $$
    """)
    op.execute("""
        CREATE AGGREGATE granted_in_turn(amount bigint, funds bigint) (
            SFUNC = grant_next, STYPE = bigint, INITCOND = '0', PARALLEL = SAFE
        )
    """)


def downgrade() -> None:
    op.execute("DROP AGGREGATE granted_in_turn(bigint, bigint)")
    op.execute("DROP FUNCTION grant_next(bigint, bigint, bigint)")
