"""Begin again: the sandbox's way back to the first morning, with the brokers and their keys kept."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from database.errors import NOT_ALLOWED, sqlstate
from database.statements import Statements

RESET = text("SELECT reset_exchange()")
RESET_CLEARING = text("SELECT reset_clearing()")
"""Functions of the tables' owner (migrations 0008 and 0024), for the processes may empty none."""

FORGET_TURNOVER = text("""
    WITH turned AS (
        UPDATE brokers SET turnover_30d = 0, fee_version = fee_version + 1 WHERE turnover_30d > 0
        RETURNING id, fee_version
    )
    UPDATE balances b SET fee_version = t.fee_version FROM turned t WHERE b.broker_id = t.id AND b.asset_id = 1
""")

FORGET_FIGURES = (
    text("DELETE FROM candles"),
    text("DELETE FROM reported_stocks"),
    text("DELETE FROM indicatives"),
    text("DELETE FROM book_checkpoints"),
    text("DELETE FROM webhook_deliveries"),
    text("""
        UPDATE stocks SET best_bid_quantity = NULL, best_ask_quantity = NULL, session_sequence = 0,
            session_began_at = clock_timestamp(), session_reference = listing_price
    """),
    text("UPDATE epochs SET word = DEFAULT, began_at = DEFAULT"),
)
"""All numbers begin again, so the epoch is another one."""

COUNT_TRADES = text("SELECT count(*) FROM trades")


class NoSandbox(Exception):
    """The owner of the tables has not said that this is one: the last `minex migrate` ran without `debug = true`."""


def reset_exchange(session: Statements) -> None:
    """Remove all orders, commands, trades and events, and all transfers but deposits and withdrawals.

    Balances are again what was brought in, shares at their listing price; stocks are open at sequence 0. Brokers,
    keys, limits and listings stay, the epoch is another one. Waits for running turns and requests, and keeps new ones
    waiting to the commit.

    Raises NoSandbox.
    """
    try:
        session.execute(RESET)
        session.execute(RESET_CLEARING)
    except DBAPIError as error:
        if sqlstate(error) == NOT_ALLOWED:
            raise NoSandbox from error
        raise
    session.execute(FORGET_TURNOVER)
    for forget in FORGET_FIGURES:
        session.execute(forget)


def trade_count(session: Statements) -> int:
    """The number of trades since the beginning or the last reset."""
    return int(session.scalar(COUNT_TRADES) or 0)
