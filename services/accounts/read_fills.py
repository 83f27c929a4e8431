"""A broker's own fills: the newest first, or what came after a number that it knows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from database.statements import Statements
from services.prices import STANDING_PRICE
from services.settlement.fees import AUCTION, MAKER, TAKER
from services.timestamps import timestamp

FILLS = f"""
    SELECT e.sequence, t.id, s.symbol, o.side, e.order_id, o.client_order_id, {STANDING_PRICE} AS price, t.quantity,
        t.aggressor_side, t.is_auction, e.fee, t.executed_at, t.busted_at IS NOT NULL AS busted,
        CASE WHEN t.adjusted_price IS NOT NULL THEN t.price END AS adjusted_from
    FROM account_events e JOIN trades t ON t.id = e.trade_id JOIN orders o ON o.id = e.order_id
    JOIN stocks s ON s.id = t.stock_id
    WHERE e.broker_id = :broker_id AND e.trade_id IS NOT NULL AND {{}}
    ORDER BY e.sequence {{}} LIMIT :limit
"""  # noqa: S608 - a constant
"""A broker can be on both sides of a trade: then it has two fills."""

FILTERS = {
    "order_id": "e.order_id = :order_id",
    "symbol": "s.symbol = :symbol",
    "side": "o.side = :side",
    "since": "t.executed_at >= :since",
    "until": "t.executed_at < :until",
}


@dataclass(frozen=True, slots=True)
class FillFilter:
    """Which of a broker's fills; None leaves a condition out. With another broker's `order_id` there are none."""

    order_id: int | None = None
    symbol: str | None = None
    side: str | None = None
    since: datetime | None = None
    until: datetime | None = None


ALL = FillFilter()


def read_fills(
    session: Statements, broker_id: int, before: int, limit: int, wanted: FillFilter = ALL
) -> list[dict[str, Any]]:
    """At most `limit` of the broker's fills with an account_sequence below `before`, newest first."""
    return _read(session, broker_id, before, limit, wanted, newest_first=True)


def read_fills_after(
    session: Statements, broker_id: int, after: int, limit: int, wanted: FillFilter = ALL
) -> list[dict[str, Any]]:
    """At most `limit` of the broker's fills with an account_sequence above `after`, oldest first; as `read_fills`."""
    return _read(session, broker_id, after, limit, wanted, newest_first=False)


def _read(
    session: Statements, broker_id: int, position: int, limit: int, wanted: FillFilter, *, newest_first: bool
) -> list[dict[str, Any]]:
    given = {name: value for name in FILTERS if (value := getattr(wanted, name)) is not None}
    from_here = "e.sequence < :position" if newest_first else "e.sequence > :position"
    conditions = " AND ".join([from_here, *(FILTERS[name] for name in given)])
    statement = text(FILLS.format(conditions, "DESC" if newest_first else ""))
    rows = session.execute(statement, {"broker_id": broker_id, "position": position, "limit": limit, **given})
    return [fill_document(row) for row in rows]


def liquidity_of(row: Any) -> str:
    """What an order was in its trade, by the trade's row and the order's side."""
    if row.is_auction:
        return AUCTION
    return TAKER if row.side == row.aggressor_side else MAKER


def fill_document(row: Row[Any]) -> dict[str, Any]:
    """A fill as the API shows it: price in cents, quantity in shares."""
    return {
        "account_sequence": row.sequence,
        "trade_id": row.id,
        "order_id": row.order_id,
        "client_order_id": row.client_order_id,
        "symbol": row.symbol,
        "side": row.side,
        "price": row.price,
        "quantity": row.quantity,
        "liquidity": liquidity_of(row),
        "fee": row.fee or 0,
        "executed_at": timestamp(row.executed_at),
        "busted": row.busted,
        "adjusted_from": row.adjusted_from,
    }
