"""Where orders stand in the queues at their prices: many in one look."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.market_data.book import QUOTED

RANKED: Final = f"""
    SELECT ranked.*, mine.broker_id
    FROM (
        SELECT o.id, row_number() OVER queue AS place,
            count(*) OVER (PARTITION BY o.stock_id, o.side, o.price) AS orders_at_price,
            coalesce(sum(coalesce(o.shown_quantity, o.remaining_quantity)) OVER (
                queue ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0) AS quantity_ahead
        FROM (SELECT DISTINCT stock_id, side, price FROM mine) level
        JOIN orders o ON o.stock_id = level.stock_id AND o.side = level.side AND o.price = level.price
        WHERE {QUOTED.format("o")}
        WINDOW queue AS (PARTITION BY o.stock_id, o.side, o.price ORDER BY o.priority)
    ) ranked JOIN mine ON mine.id = ranked.id
"""  # noqa: S608 - constants of this package

MINE: Final = "SELECT o.id, o.broker_id, o.stock_id, o.side, o.price FROM orders o"

OF_ORDERS: Final = text(f"""
    WITH mine AS MATERIALIZED ({MINE} WHERE o.id = ANY(:ids) AND {QUOTED.format("o")}) {RANKED}
""")

OF_BROKERS: Final = text(f"""
    WITH mine AS MATERIALIZED (
        {MINE} JOIN stocks s ON s.id = o.stock_id
        WHERE o.broker_id = ANY(:brokers) AND s.symbol = ANY(:symbols) AND {QUOTED.format("o")}
    )
    {RANKED} ORDER BY ranked.id
""")


def read_places(session: Statements, order_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Of those orders that stand in a book at a price: {place, orders_at_price, quantity_ahead}; 1 is next.

    What icebergs hide is not ahead of anybody.
    """
    return {row.id: _document(row) for row in session.execute(OF_ORDERS, {"ids": list(order_ids)})}


def places_of_brokers(
    session: Statements, brokers: Collection[int], symbols: Collection[str]
) -> dict[int, dict[int, dict[str, int]]]:
    """The same of all of these brokers' orders in these stocks, by broker and order."""
    found: dict[int, dict[int, dict[str, int]]] = {broker_id: {} for broker_id in brokers}
    for row in session.execute(OF_BROKERS, {"brokers": list(brokers), "symbols": list(symbols)}):
        found[row.broker_id][row.id] = _document(row)
    return found


def _document(row: Any) -> dict[str, int]:
    return {"place": row.place, "orders_at_price": row.orders_at_price, "quantity_ahead": int(row.quantity_ahead)}
