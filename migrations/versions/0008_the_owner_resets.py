"""A sandbox is reset by a function of the owner's: the processes may not remove what is written.

Nobody may call it until that is granted, and nothing tells a caller to: it is for where `debug = true`.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

RESET = """
    CREATE FUNCTION reset_exchange() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {schema}, pg_temp
    SET enable_hashjoin = on
    AS $$
    BEGIN
        PERFORM id FROM stocks ORDER BY id FOR NO KEY UPDATE;
        CREATE TEMPORARY TABLE kept_transfers ON COMMIT DROP AS
        SELECT * FROM transfers WHERE kind IN ('deposit', 'withdrawal');
        TRUNCATE orders, commands, trades, transfers, events, account_events, account_counters;
        INSERT INTO transfers SELECT * FROM pg_temp.kept_transfers ORDER BY id;
        UPDATE balances b
        SET available = coalesce(brought.amount, 0), reserved = 0, open_orders = 0, traded = 0,
            realised_pnl = 0,
            cost = coalesce(CAST(brought.amount AS numeric) * s.listing_price, 0)
        FROM balances same
        LEFT JOIN stocks s ON s.id = same.asset_id
        LEFT JOIN (
            SELECT to_broker AS broker_id, asset_id,
                CAST(sum(CASE kind WHEN 'deposit' THEN amount ELSE -amount END) AS bigint) AS amount
            FROM transfers GROUP BY 1, 2
        ) brought ON brought.broker_id = same.broker_id AND brought.asset_id = same.asset_id
        WHERE b.broker_id = same.broker_id AND b.asset_id = same.asset_id;
        UPDATE stocks
        SET state = 'open', reference_price = listing_price, last_price = NULL, best_bid = NULL, best_ask = NULL,
            state_reason = NULL, state_since = NULL, indicative_price = NULL, indicative_volume = 0,
            indicative_surplus = 0, command_sequence = 0, event_sequence = 0, book_sequence = 0, sequenced_at = NULL,
            book_version = book_version + 1;
        DELETE FROM market_sessions;
    END $$
"""
"""TRUNCATE, not DELETE: the foreign keys of a million rows would be checked one by one. It also locks out who is
placing now. It names its tables, so that no other is ever emptied. The version of the books goes on, so that no worker
takes the one in its memory for the present one; the clock finds out anew which phase each market is in.

Hash joins are off on connections for orders, which join by indexes only; here all balances meet all that was brought
in, which has none. Names are looked up in our schema alone: the function has the owner's rights, whoever calls it.
"""


def upgrade() -> None:
    quoted = "SELECT quote_ident(current_schema())"
    op.execute(RESET.format(schema=op.get_bind().exec_driver_sql(quoted).scalar()))
    op.execute("REVOKE ALL ON FUNCTION reset_exchange() FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP FUNCTION reset_exchange()")
