"""What a broker has: cash, holdings, and its own fills."""

from typing import Any

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from services.prices import average_price
from services.timestamps import timestamp

CASH_BALANCE = text("""
    SELECT k.name, coalesce(b.traded, 0) AS traded, coalesce(b.available, 0) AS available,
        coalesce(b.reserved, 0) AS reserved, coalesce(b.credit_limit, 0) AS credit_limit
    FROM brokers k LEFT JOIN balances b ON b.broker_id = k.id AND b.asset_id = :cash
    WHERE k.id = :broker_id
""")

POSITIONS = text("""
    SELECT b.asset_id, s.symbol, b.available, b.reserved, b.traded, b.cost, b.realised_pnl,
        coalesce(s.last_price, s.reference_price) AS price
    FROM balances b LEFT JOIN stocks s ON s.id = b.asset_id
    WHERE b.broker_id = :broker_id
    ORDER BY s.symbol NULLS FIRST
""")

FILLS = text("""
    SELECT t.id, s.symbol, t.side, t.order_id, t.price, t.quantity, t.aggressor_side, t.executed_at,
        t.busted_at IS NOT NULL AS busted
    FROM (
        (SELECT *, 'bid' AS side, buy_order_id AS order_id FROM trades
            WHERE buyer_id = :broker_id AND (id, 'bid') < (:before, :before_side) ORDER BY id DESC LIMIT :limit)
        UNION ALL
        (SELECT *, 'ask', sell_order_id FROM trades
            WHERE seller_id = :broker_id AND (id, 'ask') < (:before, :before_side) ORDER BY id DESC LIMIT :limit)
    ) t JOIN stocks s ON s.id = t.stock_id
    ORDER BY t.id DESC, t.side DESC LIMIT :limit
""")
"""A broker can be on both sides of a trade: then it has two fills."""


def read_balance(session: Statements, broker_id: int) -> dict[str, Any]:
    """A broker's cash in cents; `balance` is the net of its trades."""
    row = session.execute(CASH_BALANCE, {"broker_id": broker_id, "cash": CASH}).one()
    return {
        "broker_id": broker_id,
        "broker_name": row.name,
        "balance": row.traded,
        "available": row.available,
        "reserved": row.reserved,
        "credit_limit": row.credit_limit,
    }


def read_portfolio(session: Statements, broker_id: int) -> dict[str, Any]:
    """Cash and every position that was ever held, valued at the last or the reference price, all at one moment."""
    available = reserved = 0
    positions = []
    for row in session.execute(POSITIONS, {"broker_id": broker_id}):
        if row.asset_id == CASH:
            available, reserved = row.available, row.reserved
        elif row.available or row.reserved or row.traded or row.realised_pnl:
            positions.append(_position(row))
    cash = {"cash": available + reserved, "available_cash": available, "reserved_cash": reserved}
    return {**cash, "positions": positions}


def _position(row: Any) -> dict[str, Any]:
    held = row.available + row.reserved
    value = None if row.price is None else held * row.price
    return {
        "symbol": row.symbol,
        "available": row.available,
        "reserved": row.reserved,
        "average_cost": average_price(abs(row.cost), abs(held)),
        "market_value": value,
        "realised_pnl": row.realised_pnl,
        "unrealised_pnl": None if value is None else value - row.cost,
    }


def read_fills(session: Statements, broker_id: int, before: tuple[int, str], limit: int) -> list[dict[str, Any]]:
    """At most `limit` of the broker's own fills before (trade id, side), newest first."""
    values = {"broker_id": broker_id, "before": before[0], "before_side": before[1], "limit": limit}
    return [
        {
            "trade_id": row.id,
            "order_id": row.order_id,
            "symbol": row.symbol,
            "side": row.side,
            "price": row.price,
            "quantity": row.quantity,
            "liquidity": "taker" if row.side == row.aggressor_side else "maker",
            "executed_at": timestamp(row.executed_at),
            "busted": row.busted,
        }
        for row in session.execute(FILLS, values)
    ]
