"""Begin again: the sandbox's way back to the first morning, with the brokers and their keys kept."""

from sqlalchemy import text

from database.statements import Statements

LOCK_STOCKS = text("SELECT id FROM stocks ORDER BY id FOR NO KEY UPDATE")

JOIN_WHOLE_TABLES = text("SET LOCAL enable_hashjoin = on")
"""Connections for orders join by indexes only; here all balances meet all that was brought in, which has none."""

KEEP_DEPOSITS = text("""
    CREATE TEMPORARY TABLE kept_transfers ON COMMIT DROP AS
    SELECT * FROM transfers WHERE kind IN ('deposit', 'withdrawal')
""")

EMPTY = text("TRUNCATE orders, commands, trades, transfers, events, account_events, account_counters")
"""Not DELETE: the foreign keys of a million rows would be checked one by one. It also locks out who is placing now."""

BRING_DEPOSITS_BACK = text("INSERT INTO transfers SELECT * FROM kept_transfers ORDER BY id")

RESTORE_BALANCES = text("""
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
    WHERE b.broker_id = same.broker_id AND b.asset_id = same.asset_id
""")

RESTORE_STOCKS = text("""
    UPDATE stocks
    SET state = 'open', reference_price = listing_price, last_price = NULL, best_bid = NULL, best_ask = NULL,
        state_reason = NULL, state_since = NULL, indicative_price = NULL, indicative_volume = 0, indicative_surplus = 0,
        command_sequence = 0, event_sequence = 0, book_sequence = 0, sequenced_at = NULL,
        book_version = book_version + 1
""")
"""The version goes on, so that no worker takes the book in its memory for the present one."""

FORGET_SESSIONS = text("DELETE FROM market_sessions")
"""The clock finds out anew which phase each market is in."""

COUNT_TRADES = text("SELECT count(*) FROM trades")


def reset_exchange(session: Statements) -> None:
    """Remove all orders, commands, trades and events, and all transfers but deposits and withdrawals.

    Balances are again what was brought in, shares at their listing price; stocks are open at sequence 0. Brokers,
    keys, limits and listings stay. Waits for running turns and requests, and keeps new ones waiting to the commit.
    """
    session.execute(LOCK_STOCKS)
    session.execute(KEEP_DEPOSITS)
    session.execute(EMPTY)
    session.execute(BRING_DEPOSITS_BACK)
    session.execute(JOIN_WHOLE_TABLES)
    session.execute(RESTORE_BALANCES)
    session.execute(RESTORE_STOCKS)
    session.execute(FORGET_SESSIONS)


def trade_count(session: Statements) -> int:
    """The number of trades since the beginning or the last reset."""
    return int(session.scalar(COUNT_TRADES) or 0)
