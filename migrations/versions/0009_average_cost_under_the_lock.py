"""What a position costs after trades is worked out where its row is locked: `average_cost`, as in Python.

Source: services/settlement/average_cost.py, which `verify` goes by and with which a test compares this.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

AVERAGE_COST = """
    CREATE FUNCTION average_cost(
        held bigint, INOUT cost numeric, shares bigint[], prices bigint[], OUT realised numeric
    )
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    DECLARE
        joining numeric;
        leaving numeric;
        part numeric;
    BEGIN
        realised := 0;
        FOR n IN 1 .. cardinality(shares) LOOP
            joining := shares[n];
            IF held <> 0 AND (held > 0) <> (joining > 0) THEN
                leaving := least(abs(joining), abs(held));
                part := CASE WHEN cost >= 0 THEN div(cost * leaving, abs(held))
                    ELSE -div(-cost * leaving + abs(held) - 1, abs(held)) END;
                realised := realised + sign(held)::bigint * leaving * prices[n] - part;
                cost := cost - part;
                joining := joining + sign(held)::bigint * leaving;
                held := held - sign(held)::bigint * leaving;
            END IF;
            cost := cost + joining * prices[n];
            held := held + joining;
        END LOOP;
    END $$
"""
"""`cost` (cents) after trades of these signed shares at these prices on `held` shares, and what closing brought.

Python divides downward, PostgreSQL toward zero.
"""


def upgrade() -> None:
    op.execute(AVERAGE_COST)


def downgrade() -> None:
    op.execute("DROP FUNCTION average_cost(bigint, numeric, bigint[], bigint[])")
