"""What has been traded: the average price, the public tape, and the events that a listener missed."""

from typing import Any

from sqlalchemy import text

from database.statements import Statements
from services.operations.resuming import Series
from services.prices import STANDING_PRICE, average_price, indicative_document
from services.stocks.listing import listed_id, unknown_stock
from services.timestamps import timestamp

PRICE = text(f"""
    SELECT s.last_price, CAST(t.total AS bigint) AS total, t.trades
    FROM stocks s CROSS JOIN LATERAL (
        SELECT coalesce(sum(latest.price), 0) AS total, count(*) AS trades
        FROM (
            SELECT {STANDING_PRICE} AS price FROM trades t
            WHERE t.stock_id = s.id AND t.busted_at IS NULL ORDER BY t.sequence DESC LIMIT :trades
        ) latest
    ) t
    WHERE s.symbol = :symbol
""")  # noqa: S608 - a constant

TRADES = text(f"""
    SELECT t.id, t.sequence, {STANDING_PRICE} AS price, t.quantity, t.aggressor_side, t.executed_at,
        t.busted_at IS NOT NULL AS busted, CASE WHEN t.adjusted_price IS NOT NULL THEN t.price END AS adjusted_from
    FROM trades t WHERE t.stock_id = :stock_id AND t.sequence < :before ORDER BY t.sequence DESC LIMIT :limit
""")  # noqa: S608 - a constant

EVENTS = text("""
    SELECT sequence, kind, payload FROM events
    WHERE stock_id = :stock_id AND sequence > :after ORDER BY sequence LIMIT :limit
""")

INDICATIVES = text("""
    SELECT command_sequence, price, volume, surplus, told_at FROM indicatives
    WHERE stock_id = :stock_id AND command_sequence < :before ORDER BY command_sequence DESC LIMIT :limit
""")

SERIES = text("""
    SELECT s.event_sequence AS newest, (SELECT word FROM epochs WHERE id = 1) AS epoch,
        (SELECT min(sequence) FROM events WHERE stock_id = s.id) AS oldest
    FROM stocks s WHERE s.symbol = :symbol
""")


def read_price(session: Statements, symbol: str, trades: int) -> dict[str, Any]:
    """The last price and the mean price (cents) of at most the last `trades` trades. Raises UnknownStock.

    Each trade counts alike, however many shares it had; busted ones do not count.
    """
    row = session.execute(PRICE, {"symbol": symbol, "trades": trades}).one_or_none()
    if row is None:
        raise unknown_stock(symbol)
    return {
        "symbol": symbol,
        "last_price": row.last_price,
        "average_price": average_price(row.total, row.trades),
        "trades_in_average": row.trades,
    }


def read_trades(session: Statements, symbol: str, before: int, limit: int) -> list[dict[str, Any]]:
    """At most `limit` trades of a stock with a sequence below `before`, newest first. Raises UnknownStock."""
    stock_id = listed_id(session, symbol)
    rows = session.execute(TRADES, {"stock_id": stock_id, "before": before, "limit": limit})
    return [
        {
            "trade_id": row.id,
            "symbol": symbol,
            "sequence": row.sequence,
            "price": row.price,
            "quantity": row.quantity,
            "aggressor_side": row.aggressor_side,
            "executed_at": timestamp(row.executed_at),
            "busted": row.busted,
            "adjusted_from": row.adjusted_from,
        }
        for row in rows
    ]


def read_indicatives(session: Statements, symbol: str, before: int, limit: int) -> list[dict[str, Any]]:
    """At most `limit` of what auctions of a stock would have brought, as it was told, the newest first.

    Only with a command before `before`, whose number is the item's `place`. Raises UnknownStock.
    """
    stock_id = listed_id(session, symbol)
    rows = session.execute(INDICATIVES, {"stock_id": stock_id, "before": before, "limit": limit})
    return [
        {
            **indicative_document(row.price, row.volume, row.surplus),
            "at": timestamp(row.told_at),
            "place": row.command_sequence,
        }
        for row in rows
    ]


def read_series(session: Statements, symbol: str) -> Series:
    """The numbers of a stock's tape. Raises UnknownStock."""
    row = session.execute(SERIES, {"symbol": symbol}).one_or_none()
    if row is None:
        raise unknown_stock(symbol)
    return Series(row.epoch, row.oldest or row.newest + 1, row.newest)


def read_events(session: Statements, symbol: str, after: int, limit: int) -> list[dict[str, Any]]:
    """At most `limit` public events of a stock behind the sequence `after`, oldest first. Raises UnknownStock."""
    stock_id = listed_id(session, symbol)
    rows = session.execute(EVENTS, {"stock_id": stock_id, "after": after, "limit": limit})
    return [{"sequence": row.sequence, "event": row.kind, "payload": row.payload} for row in rows]
