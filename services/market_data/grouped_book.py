"""A stock's book with its levels put together by ticks, and with the market orders that wait for an auction."""

from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.market_data.book import QUOTED
from services.stocks.listing import unknown_stock

DEEPEST: Final = 500
"""Levels a side, where they are put together."""

GROUPED: Final = """(
    SELECT coalesce(json_agg(json_build_object(
        'price', l.price, 'total_quantity', l.total_quantity, 'order_count', l.order_count) ORDER BY l.price {order}
    ), '[]')
    FROM (
        SELECT {price} AS price, sum(coalesce(o.shown_quantity, o.remaining_quantity)) AS total_quantity,
            count(*) AS order_count
        FROM orders o WHERE o.stock_id = s.id AND o.side = '{side}' AND {quoted}
        GROUP BY 1 ORDER BY 1 {order} LIMIT :depth
    ) l
)"""

MARKET: Final = """(
    SELECT json_build_object('price', NULL, 'total_quantity', sum(o.remaining_quantity), 'order_count', count(*))
    FROM orders o
    WHERE o.stock_id = s.id AND o.side = '{side}' AND o.closed_at IS NULL AND o.order_type = 'market'
        AND o.status NOT IN ('pending', 'untriggered') AND o.price IS NULL
    HAVING count(*) > 0
)"""

STEP: Final = "(s.tick_size * CAST(:group AS bigint))"
BIDS = GROUPED.format(side="bid", order="DESC", quoted=QUOTED.format("o"), price=f"o.price / {STEP} * {STEP}")
ASKS = GROUPED.format(
    side="ask", order="ASC", quoted=QUOTED.format("o"), price=f"(o.price + {STEP} - 1) / {STEP} * {STEP}"
)

BOOK: Final = text(f"""
    SELECT s.symbol, s.book_version AS version, s.event_sequence AS sequence, s.book_sequence, {BIDS} AS bids,
        {ASKS} AS asks, {MARKET.format(side="bid")} AS market_bids, {MARKET.format(side="ask")} AS market_asks
    FROM stocks s WHERE s.symbol = :symbol
""")  # noqa: S608 - constants of this file


def read_grouped_book(session: Statements, symbol: str, depth: int, group: int) -> dict[str, Any]:
    """As `read_book`, each level being of `group` ticks: of bids the lowest price of them, of asks the highest.

    Market orders that wait for an auction are a level before the others, without a price. Raises UnknownStock.
    """
    row = session.execute(BOOK, {"symbol": symbol, "depth": depth, "group": group}).one_or_none()
    if row is None:
        raise unknown_stock(symbol)
    return {
        "symbol": row.symbol,
        "version": row.version,
        "sequence": row.sequence,
        "book_sequence": row.book_sequence,
        "bids": [*([row.market_bids] if row.market_bids else []), *row.bids],
        "asks": [*([row.market_asks] if row.market_asks else []), *row.asks],
    }
