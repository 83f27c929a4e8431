"""Bust all trades of a stock within a time, in one go: they count together, and each is decided by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text

from database.statements import Statements
from models.clearing.bust import LIVE
from services.clearing.errors import TooManyTrades
from services.clearing.requests import Asker, QueuedBust, ask
from services.stocks.listing import listed_id

MOST: Final = 1_000
"""Trades that are busted together."""

TRADES: Final = text(f"""
    SELECT t.id FROM trades t
    WHERE t.stock_id = :stock_id AND t.executed_at >= :since AND t.executed_at < :until AND t.busted_at IS NULL
        AND t.adjusted_price IS NULL AND t.sequence >= coalesce((
            SELECT c.first_sequence FROM candles c
            WHERE c.stock_id = :stock_id AND c.seconds = 60
                AND c.start >= date_trunc('minute', CAST(:since AS timestamptz))
            ORDER BY c.start LIMIT 1
        ), (SELECT r.sequence FROM reported_stocks r WHERE r.stock_id = :stock_id), 0)
        AND NOT EXISTS (
            SELECT FROM busts b
            WHERE b.trade_id = t.id AND b.status IN ({", ".join(f"'{status}'" for status in LIVE)})
        )
    ORDER BY t.sequence DESC LIMIT :limit
""")  # noqa: S608 - constants
"""The newest first, so that the last price goes back step by step; trades that were decided are left out. Where on the
tape a minute begins its candle knows, and behind the reporter's place there are few trades."""

NEXT_RANGE: Final = text("SELECT nextval('bust_ranges_id_seq')")


def ask_for_range(
    session: Statements,
    symbol: str,
    since: datetime,
    until: datetime,
    reason: str,
    asker: Asker,
    reply_to: str | None = None,
) -> list[QueuedBust]:
    """Ask for the bust of every trade of a stock from `since` to before `until` that stands as it was executed.

    Raises UnknownStock, TooManyTrades.
    """
    stock_id = listed_id(session, symbol)
    values = {"stock_id": stock_id, "since": since, "until": until, "limit": MOST + 1}
    found = list(session.scalars(TRADES, values))
    if len(found) > MOST:
        raise TooManyTrades(f"At most {MOST} trades can be busted together.", most=MOST)
    range_id = int(session.scalar(NEXT_RANGE)) if found else None
    return [
        ask(session, trade_id, reason, asker, range_id=range_id, reply_to=reply_to if trade_id == found[-1] else None)
        for trade_id in found
    ]
